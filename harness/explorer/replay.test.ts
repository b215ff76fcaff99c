import { describe, expect, test } from "vitest";
import type { Trace } from "../core/trace.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { difference, replay } from "./replay.ts";
import { executeToy, increment, look, toyService } from "./toy.fixture.ts";

const SCENARIO = { initial: 0, clients: [[increment, look], [increment]] };
const recorded = executeToy(SCENARIO, new RandomWalk(4));

describe("the difference of two traces", () => {
  const { trace } = recorded;

  test("is undefined for a trace and itself, also if read from a file", () => {
    expect(difference(trace, trace)).toBeUndefined();
    expect(difference(JSON.parse(JSON.stringify(trace)), trace)).toBeUndefined();
    expect(difference([], [])).toBeUndefined();
  });

  test("is the first event that differs", () => {
    const other: Trace = trace.with(3, { type: "wait", task: "1", for: ["0"] });
    expect(difference(trace, other)).toBe(
      `event 3 was ${JSON.stringify(trace[3])}, and now is {"type":"wait","task":"1","for":["0"]}`,
    );
  });

  test("is the missing or the additional event at the end", () => {
    const short = trace.slice(0, -1);
    const last = JSON.stringify(trace.at(-1));
    expect(difference(trace, short)).toBe(`event ${short.length} was ${last}, and now is the end`);
    expect(difference(short, trace)).toBe(`after the last recorded event came ${last}`);
  });
});

describe("a replay", () => {
  const service = toyService();
  const executor = fakeExecutor(executeToy);

  test("does not compare violations of checkers that found none when it was recorded", async () => {
    const { violations } = await replay(executor, service, recorded);
    const model = { init: () => 0, step: () => [] };
    const again = { ...recorded, violations };
    const checked = await replay(executor, toyService({ model }), again);
    expect(checked.violations.map(({ checker }) => checker)).toEqual([
      "invariant",
      "linearizability",
    ]);
    expect(checked.diverged).toBeUndefined();
    expect((await replay(executor, toyService({ invariants: [] }), again)).diverged).toBeDefined();
  });

  test("with the same trace has not diverged", async () => {
    const { violations, diverged } = await replay(executor, service, recorded);
    expect(diverged).toBeUndefined();
    const again = await replay(executor, service, { ...recorded, violations });
    expect(again.diverged).toBeUndefined();
    expect(again.execution).toEqual(recorded);
  });

  test("names the event that differs", async () => {
    const trace = recorded.trace.with(0, { type: "wait", task: "9", for: [] });
    const { diverged } = await replay(executor, service, { ...recorded, trace });
    expect(diverged).toContain(`event 0 was {"type":"wait","task":"9"`);
  });

  test("has not diverged where values differ by nature, and says which", async () => {
    let number = 0;
    const stamped = fakeExecutor((scenario, scheduler) => {
      const execution = executeToy(scenario, scheduler);
      const id = `7f0c1c3e-9d55-4a60-8d5c-00000000000${number++}`;
      const trace = execution.trace.map((event) =>
        event.type === "statement" ? { ...event, statement: { sql: "read", values: [id] } } : event,
      );
      return { ...execution, trace };
    });
    const first = await replay(stamped, service, recorded);
    const again = { ...recorded, trace: first.execution.trace, violations: first.violations };
    const { diverged, volatile } = await replay(stamped, service, again);
    expect(diverged).toBeUndefined();
    expect(volatile).toEqual([{ kind: "uuid", value: "7f0c1c3e-9d55-4a60-8d5c-000000000000" }]);
    const later = await replay(stamped, service, { ...again, volatile });
    expect(later.volatile).toEqual(volatile);
  });

  test("shows how the evidence differs", async () => {
    const { violations } = await replay(executor, service, recorded);
    const other = violations.map((violation) => ({ ...violation, evidence: [{ n: 7 }] }));
    const { diverged } = await replay(executor, service, { ...recorded, violations: other });
    expect(diverged).toMatch(/^the violation .* was .*"n":7.*, and now is /);
  });

  test("without a trace says where the schedule could not be followed", async () => {
    const schedule = { version: 1, entries: [...recorded.schedule.entries, "0"] } as const;
    const { diverged } = await replay(executor, service, { scenario: SCENARIO, schedule });
    expect(diverged).toContain("the execution ended after 8 of the schedule's 9 steps");
  });

  test("says when other rules are violated", async () => {
    const violation = { checker: "invariant", name: "other", message: "", evidence: [] };
    const { scenario, schedule, trace } = recorded;
    const old = { scenario, schedule, trace, violations: [violation] };
    const { diverged } = await replay(executor, service, old);
    expect(diverged).toContain("the violated rules were other, and now are ");
  });
});
