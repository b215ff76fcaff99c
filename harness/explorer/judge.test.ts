import { describe, expect, test } from "vitest";
import type { Model } from "../core/model.ts";
import { Replay } from "../scheduler/replay.ts";
import { cannotJudge, JUDGES, type JudgeName, Judges, judgesOf } from "./judge.ts";
import {
  executeToy,
  increment,
  look,
  type Toy,
  type ToyScenario,
  toySubject,
} from "./toy.fixture.ts";

/** What a counter does when one command runs after the other. */
const counter: Model<number, number, Toy> = {
  init: ({ initial }) => initial,
  step: (value, { command: { name }, response }) =>
    response?.body === value ? [name === "increment" ? value + 1 : value] : [],
  expected: (value) => `it is ${value}`,
};

function execution(scenario: ToyScenario, lanes: string) {
  const scheduler = new Replay({ version: 1, lanes: lanes.split(" ") });
  scheduler.begin();
  return executeToy(scenario, scheduler);
}

const two: ToyScenario = { initial: 0, clients: [[increment], [increment]] };
const inTurn = execution(two, "0 0 0 1 1 1");
const lost = execution(two, "0 0 1 1 0 1");

async function judged(
  it: ReturnType<typeof execution>,
  { model = counter as Model<unknown, number, Toy>, names }: Asked = {},
) {
  const judges = new Judges(judgesOf(toySubject({ model }), names));
  const { violations, undecided } = await judges.judge(it, () => Promise.reject(new Error()));
  return { found: violations.map(({ judge, name }) => `${judge}: ${name}`), undecided };
}

interface Asked {
  readonly model?: Model<unknown, number, Toy>;
  readonly names?: readonly JudgeName[];
}

describe("the judges of a subject", () => {
  test("find nothing where there is nothing", async () => {
    expect(await judged(inTurn)).toEqual({ found: [], undecided: undefined });
  });

  test("each find what they look for", async () => {
    const found = ["invariant: no-lost-update", "linearizability: linearizable"];
    expect((await judged(lost)).found).toEqual(found);
    expect((await judged(lost, { names: ["linearizability"] })).found).toEqual(found.slice(1));
    expect((await judged(lost, { names: ["contract"] })).found).toEqual([]);
  });

  test("are those that can judge it", () => {
    const bare = toySubject({ invariants: [] });
    const rules = judgesOf(bare).flatMap(({ rules }) => rules.map(({ judge }) => judge));
    expect(new Set(rules)).toEqual(new Set(["contract", "hygiene"]));
    expect(() => judgesOf(bare, ["linearizability"])).toThrow("declares no model");
    expect(cannotJudge(bare, ["contract", "linearizability", "serial-equivalence"])).toEqual([
      'Nothing is judged by linearizability: "counter" declares no model.',
      'Nothing is judged by serial-equivalence: "counter" declares no ids.',
    ]);
    expect(cannotJudge({ ...bare, ownSessions: true }, ["hygiene"])).toEqual([
      'Nothing is judged by hygiene: "counter" declares sessions that end with each execution.',
    ]);
    expect(cannotJudge(toySubject({ model: counter, ids: {} }), JUDGES)).toEqual([]);
  });
});

describe("what cannot be judged", () => {
  test("is undecided when the budget runs out", async () => {
    // Every look may be in either of two states, and the last command is never right.
    const model: Model<string, number, Toy> = {
      init: () => "",
      step: (state, { command }) => (command === look ? [`${state}a`, `${state}b`] : []),
    };
    const looks = { initial: 0, clients: [[...Array<Toy>(20).fill(look), increment]] };
    const it = execution(looks, Array(60).fill("0").join(" "));
    expect(await judged(it, { model, names: ["linearizability"] })).toEqual({
      found: [],
      undecided: "linearizability: no order was found within 200000 steps",
    });
  });

  test("is the harness's own trouble when a model throws", async () => {
    const model: Model<number, number, Toy> = {
      init: () => 0,
      step: () => {
        throw new Error("not that");
      },
    };
    await expect(judged(inTurn, { model })).rejects.toThrow("judging an execution failed");
  });
});
