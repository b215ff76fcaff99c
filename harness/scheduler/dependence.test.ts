import { describe, expect, test } from "vitest";
import { type Footprint, NOTHING } from "../core/footprint.ts";
import type { Result, TraceEvent } from "../core/trace.ts";
import { dependent, effectsOf, type StepEffects } from "./dependence.ts";

const touching = (object: string) => ({ ...NOTHING, writes: new Set([object]) });

const footprint = (changes: Partial<Footprint> = {}): Footprint => ({
  step: touching("a"),
  held: touching("b"),
  keeps: true,
  ends: true,
  snapshot: false,
  tracked: false,
  clock: false,
  ...changes,
});

const release = { task: "0", action: "release" } as const;
const move: TraceEvent = { type: "move", choice: release, enabled: [release], preemption: false };
const result = (changes: Partial<Result> = {}, task = "0"): TraceEvent => ({
  type: "result",
  task,
  result: { tags: [], transaction: "open", ...changes },
});
const error = { sqlstate: "23505", message: "duplicate key" };
const place = { of: "f()", line: 3, next: "update" };
const answer: TraceEvent = {
  type: "return",
  client: 0,
  index: 0,
  response: { outcome: "ok", code: "OK", body: null },
};

describe("a step released nothing", () => {
  test.each<[string, readonly TraceEvent[]]>([
    ["when its statement is done, and the transaction is open", [move, result()]],
    ["when it is held at a gate", [move, { type: "gate", task: "0", place }]],
    ["when only the service continued", [move, answer]],
  ])("%s", (_, events) => {
    expect(effectsOf(release, footprint(), events, NOTHING).footprint).toMatchObject({
      held: NOTHING,
      ends: false,
    });
  });
});

describe("a step may have released all that was held", () => {
  test.each<[string, Partial<Footprint>, readonly TraceEvent[]]>([
    ["when it failed", {}, [move, result({ error, transaction: "failed" })]],
    ["when it ended the transaction", {}, [move, result({ transaction: "idle" })]],
    ["when it waits", {}, [move, { type: "wait", task: "0", for: ["1"] }]],
    ["when another client moved", {}, [move, result(), result({}, "1")]],
    ["when it may catch a failure", { keeps: false }, [move, result()]],
    ["when the server keeps track of reads", { tracked: true }, [move, result()]],
  ])("%s", (_, changes, events) => {
    const before = footprint(changes);
    expect(effectsOf(release, before, events, NOTHING).footprint).toBe(before);
  });
});

describe("a step in which a connection was closed", () => {
  test("released what the connection held as well", () => {
    expect(effectsOf(release, footprint(), [move, result()], touching("c")).footprint).toEqual(
      footprint({ held: { ...NOTHING, writes: new Set(["b", "c"]) } }),
    );
  });

  test("may have released anything, if that is not known", () => {
    expect(effectsOf(release, footprint(), [move, result()], undefined).footprint).toBeUndefined();
  });
});

const step = (task: string, changes: Partial<StepEffects> = {}): StepEffects => ({
  task,
  footprint: { ...footprint(), step: NOTHING, held: NOTHING },
  starts: false,
  returns: false,
  ...changes,
});

test("a step that starts an operation depends on a step that answers one, and on no other start", () => {
  const starts = step("0", { starts: true });
  expect(dependent(starts, step("1", { returns: true }))).toBe(true);
  expect(dependent(step("1", { returns: true }), starts)).toBe(true);
  expect(dependent(starts, step("1", { starts: true }))).toBe(false);
  expect(dependent(starts, step("1"))).toBe(false);
  expect(dependent(step("0", { returns: true }), step("1", { returns: true }))).toBe(false);
});

test("steps of one client are dependent, and so are steps of unknown effects", () => {
  expect(dependent(step("0"), step("0.1"))).toBe(true);
  expect(dependent(step("0"), step("1", { footprint: undefined }))).toBe(true);
});

test("an answer is recognized by its event, a start by its choice", () => {
  expect(effectsOf(release, undefined, [move, answer], NOTHING)).toMatchObject({
    footprint: undefined,
    starts: false,
    returns: true,
  });
  expect(effectsOf({ task: "0", action: "start" }, undefined, [move], NOTHING).starts).toBe(true);
});
