import { describe, expect, test } from "vitest";
import { cycles, friends, strangers } from "../checkers/friends.fixture.ts";
import type { Model } from "../core/model.ts";
import { Replay } from "../scheduler/replay.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Judge } from "./judgement.ts";
import { serialJudge } from "./serial-judge.ts";
import { executeToy, increment, look, type Toy, type ToyScenario } from "./toy.fixture.ts";

/** What a counter does when one command runs after the other. */
const counter: Model<number, number, Toy> = {
  init: ({ initial }) => initial,
  step: (value, { command: { name }, response }) =>
    response?.body === value ? [name === "increment" ? value + 1 : value] : [],
};
const lax: Model<number, number, Toy> = { init: () => 0, step: () => [0] };
const strict: Model<number, number, Toy> = { init: () => 0, step: () => [] };

/** The counter, together with all that it leaves. */
function execute(scenario: ToyScenario, scheduler: Scheduler) {
  const { snapshot, ...rest } = executeToy(scenario, scheduler);
  const counter = (snapshot["counter"] ?? []).map(({ value }) => ({ value: value ?? null }));
  return { ...rest, snapshot, contents: { counter } };
}

function interleaved(scenario: ToyScenario, lanes: string) {
  const scheduler = new Replay({ version: 1, lanes: lanes.split(" ") });
  scheduler.begin();
  return execute(scenario, scheduler);
}

const two: ToyScenario = { initial: 0, clients: [[increment], [increment]] };
const fine = interleaved(two, "0 1 0 0 1 1");
const lost = interleaved(two, "0 0 1 1 0 1");

/** Client 1 looks after client 0 has incremented, client 2 all the time; client 1 is told `body`. */
function backwards(body: number) {
  const scenario = { initial: 0, clients: [[increment], [look], [look]] };
  const late = interleaved(scenario, "2 0 0 0 1 1 2");
  const trace = late.trace.map((event) =>
    event.type === "return" && event.client === 1
      ? { ...event, response: { ...event.response, body } }
      : event,
  );
  return { ...late, trace };
}

async function judged(it: typeof fine, judge: Judge<number, Toy> = serialJudge({}, undefined)) {
  let executions = 0;
  const { violations, undecided, unjudged } = await judge.judge(it, async (scenario, scheduler) => {
    executions++;
    return execute(scenario, scheduler);
  });
  const names = violations.map(({ name }) => name);
  return { names, undecided, unjudged: unjudged?.length ?? 0, executions };
}

describe("an execution", () => {
  test("that overlaps, and comes to what an order does, is fine", async () => {
    expect(await judged(fine)).toMatchObject({ names: [], unjudged: 0, executions: 1 });
  });

  test("that no order comes to is told of", async () => {
    expect(await judged(lost)).toMatchObject({ names: ["serially-equivalent"], executions: 2 });
  });

  test("is compared with what it leaves, too", async () => {
    const left = { ...fine, contents: { counter: [{ value: 1 }] } };
    expect((await judged(left)).names).toEqual(["serially-equivalent"]);
  });

  test("need not keep to real time, but each client's commands keep their order", async () => {
    expect((await judged(backwards(0))).names).toEqual([]);
    expect((await judged(backwards(2))).names).toEqual(["serially-equivalent"]);
    const one = interleaved({ initial: 0, clients: [[increment, look], [look]] }, "0 0 0 1 0 0 1");
    expect((await judged(one)).names).toEqual([]);
  });

  test("that a fault struck teaches nothing of the order that it had", async () => {
    const judge = serialJudge<number, Toy>({}, undefined);
    const serial = interleaved(two, "0 0 0 1 1 1");
    const fault = { type: "fault", lane: "1", fault: "terminate" } as const;
    const contents = { counter: [{ value: 1 }] };
    const struck = { ...serial, trace: [...serial.trace, fault], contents };
    expect((await judged(struck, judge)).names).toEqual(["serially-equivalent"]);
    expect((await judged(serial, judge)).names).toEqual([]);
    expect((await judged({ ...lost, scenario: struck.scenario, contents }, judge)).names).toEqual([
      "serially-equivalent",
    ]);
  });

  test("is not judged when nobody can tell what it left, or what was answered", async () => {
    expect((await judged({ ...fine, contents: undefined } as never)).unjudged).toBe(1);
    const trace = fine.trace.filter(({ type }) => type !== "return");
    expect((await judged({ ...fine, trace })).unjudged).toBe(1);
  });
});

test("a command that gave way is expected in no order", async () => {
  const trace = lost.trace.map((event) =>
    event.type === "return" && event.client === 1
      ? { ...event, response: { outcome: "fail", code: "ABORTED", body: null } as const }
      : event,
  );
  const it = { ...lost, trace };
  expect((await judged(it)).names).toEqual(["serially-equivalent"]);
  const judge = serialJudge<number, Toy>({}, undefined, ["ABORTED"]);
  expect(await judged(it, judge)).toMatchObject({ names: [], executions: 1 });
  expect(await judged(it, judge)).toMatchObject({ names: [], executions: 0 });
  expect(await judged(lost, judge)).toMatchObject({ names: ["serially-equivalent"] });
});

test("what moves after an answer makes an execution no order of its own", async () => {
  const judge = serialJudge<number, Toy>({}, undefined);
  const it = interleaved(two, "0 0 0 1 1 1");
  const late = { ...it, trace: [...it.trace, ...it.trace.filter(({ type }) => type === "move")] };
  expect((await judged(late, judge)).executions).toBe(1);
});

test("when it cannot be told which id is which, it is undecided, unless another order is right", async () => {
  const six = friends(strangers(24, cycles(6, 6, 6, 6)));
  const three = friends(strangers(24, cycles(6, 6, 6, 3, 3)));
  const ids = { friends: { a: "person", b: "person" } };
  const looks = interleaved({ initial: 0, clients: [[look], [look]] }, "0 1 0 1");
  const leaving = (...contents: readonly ReturnType<typeof friends>[]) => {
    const left = [...contents];
    return serialJudge<number, Toy>(ids, undefined).judge(
      { ...looks, contents: six },
      async (scenario, scheduler) => ({
        ...execute(scenario, scheduler),
        contents: left.shift() ?? three,
      }),
    );
  };
  expect(await leaving(three, three)).toMatchObject({
    violations: [],
    undecided: "serial-equivalence: too many pairings to try them all",
  });
  expect(await leaving(three, six)).toEqual({ violations: [] });
  const none = { friends: [] };
  expect((await leaving(three, none)).undecided).toBeDefined();
  expect((await leaving(none, none)).violations).toHaveLength(1);
});

describe("orders that were executed", () => {
  test("are not executed again for the same scenario", async () => {
    const judge = serialJudge<number, Toy>({}, undefined);
    expect((await judged(lost, judge)).executions).toBe(2);
    expect((await judged(lost, judge)).executions).toBe(0);
    expect((await judged(interleaved({ ...two }, "0 0 1 1 0 1"), judge)).executions).toBe(2);
  });

  test("are known when they are what was explored", async () => {
    const judge = serialJudge<number, Toy>({}, undefined);
    expect((await judged(interleaved(two, "0 0 0 1 1 1"), judge)).executions).toBe(0);
    expect((await judged(interleaved(two, "1 1 1 0 0 0"), judge)).executions).toBe(0);
    expect((await judged(lost, judge)).executions).toBe(0);
  });

  test("are no more than can be executed: then it is undecided", async () => {
    const clients = Array.from({ length: 4 }, () => [increment, increment, increment]);
    const lanes = [0, 1, 2, 3].map((client) => `${client} ${client}`).join(" ");
    const many = interleaved({ initial: 0, clients }, lanes);
    const unlikely = { ...many, contents: { counter: [{ value: -1 }] } };
    const { undecided, executions } = await judged(unlikely);
    expect(undecided === undefined ? executions < 100 : executions === 100).toBe(true);
    const looks = { initial: 0, clients: Array.from({ length: 6 }, () => [look]) };
    const all = interleaved(looks, "0 1 2 3 4 5");
    const never = { ...all, contents: { counter: [{ value: 7 }] } };
    expect(await judged(never)).toMatchObject({
      undecided: "serial-equivalence: too many orders to try them all",
      executions: 100,
    });
  });
});

describe("the model agrees", () => {
  const names = async (it: typeof fine, model: Model<number, number, Toy>) =>
    (await judged(it, serialJudge({}, model as Model<unknown, number, Toy>))).names;

  test("when both find the same", async () => {
    expect(await names(fine, counter)).toEqual([]);
    expect(await names(lost, counter)).toEqual(["serially-equivalent"]);
  });

  test("not when it allows what no order comes to", async () => {
    expect(await names(lost, lax)).toEqual(["serially-equivalent", "model-agrees"]);
  });

  test("not when it refuses what an order in real time comes to", async () => {
    expect(await names(fine, strict)).toEqual(["model-agrees"]);
    expect(await names(interleaved(two, "0 0 0 1 1 1"), strict)).toEqual(["model-agrees"]);
  });

  test("also where an order comes to it, but none in real time", async () => {
    expect(await names(backwards(0), counter)).toEqual([]);
  });
});
