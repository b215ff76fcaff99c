import { describe, expect, test } from "vitest";
import type { Model } from "../core/model.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import type { CheckedService, RuleName } from "./checker.ts";
import {
  CHECKERS,
  type CheckerName,
  Checkers,
  cannotCheck,
  checkersOf,
  restrictedTo,
} from "./registry.ts";
import {
  executeToy,
  increment,
  look,
  lostUpdate,
  type Toy,
  type ToyScenario,
} from "./toy.fixture.ts";

/** The sequential specification of the counter. */
const counter: Model<number, number, Toy> = {
  init: ({ initial }) => initial,
  step: (value, { operation: { name }, response }) =>
    response?.body === value ? [name === "increment" ? value + 1 : value] : [],
  expected: (value) => `it is ${value}`,
};

function execution(scenario: ToyScenario, tasks: string) {
  const scheduler = new ReplayScheduler({ version: 1, entries: tasks.split(" ") });
  scheduler.begin();
  return executeToy(scenario, scheduler);
}

const two: ToyScenario = { initial: 0, clients: [[increment], [increment]] };
const inTurn = execution(two, "0 0 0 1 1 1");
const lost = execution(two, "0 0 1 1 0 1");

async function checked(
  it: ReturnType<typeof execution>,
  { model = counter as Model<unknown, number, Toy>, names }: Application = {},
) {
  const checkers = new Checkers(checkersOf({ ...SERVICE, ...(model && { model }) }, names));
  const { violations, undecided } = await checkers.check(it, () => Promise.reject(new Error()));
  return { found: violations.map(({ checker, name }) => `${checker}: ${name}`), undecided };
}

const SERVICE: CheckedService<number, Toy> = {
  name: "counter",
  invariants: [lostUpdate],
  codes: { increment: ["OK"], look: ["OK"] },
};

interface Application {
  readonly model?: Model<unknown, number, Toy>;
  readonly names?: readonly CheckerName[];
}

describe("the checkers of a service", () => {
  test("find nothing in an execution without a violation", async () => {
    expect(await checked(inTurn)).toEqual({ found: [], undecided: undefined });
  });

  test("each report the violations of their own rules", async () => {
    const found = ["invariant: no-lost-update", "linearizability: linearizable"];
    expect((await checked(lost)).found).toEqual(found);
    expect((await checked(lost, { names: ["linearizability"] })).found).toEqual(found.slice(1));
    expect((await checked(lost, { names: ["contract"] })).found).toEqual([]);
  });

  test("are those for which the service declares what they need", () => {
    const bare = { ...SERVICE, invariants: [] };
    const rules = checkersOf(bare).flatMap(({ rules }) => rules.map(({ checker }) => checker));
    expect(new Set(rules)).toEqual(new Set(["contract", "leaks"]));
    expect(() => checkersOf(bare, ["linearizability"])).toThrow("declares no model");
    expect(cannotCheck(bare, ["contract", "linearizability", "serial-equivalence"])).toEqual([
      'Nothing is checked by linearizability: "counter" declares no model.',
      'Nothing is checked by serial-equivalence: "counter" declares no ids.',
    ]);
    expect(cannotCheck({ ...bare, ownSessions: true }, ["leaks"])).toEqual([
      'Nothing is checked by leaks: "counter" declares sessions that end with each execution.',
    ]);
    expect(cannotCheck({ ...SERVICE, model: counter, ids: {} }, CHECKERS)).toEqual([]);
  });
});

describe("checkers restricted to rules", () => {
  const all = checkersOf({ ...SERVICE, model: counter as Model<unknown, number, Toy> });
  const found = async (rules: readonly RuleName[]) => {
    const checkers = new Checkers(restrictedTo(rules, all));
    const { violations } = await checkers.check(lost, () => Promise.reject(new Error()));
    return violations.map(({ checker }) => checker);
  };

  test("find violations of these rules, and of no others", async () => {
    expect(await found([{ checker: "invariant", name: "no-lost-update" }])).toEqual(["invariant"]);
    expect(await found([{ checker: "linearizability", name: "linearizable" }])).toEqual([
      "linearizability",
    ]);
    const [contract] = all.flatMap(({ rules }) => rules.filter((it) => it.checker === "contract"));
    if (contract === undefined) throw new Error("the contract has no rules");
    expect(await found([contract])).toEqual([]);
    expect(restrictedTo([contract], all).flatMap(({ rules }) => rules)).toEqual([contract]);
  });

  test("do not pass for rules that no checker has", () => {
    const rules = [{ checker: "invariant", name: "other" }];
    expect(() => restrictedTo(rules, all)).toThrow("there is no rule invariant/other");
  });
});

describe("what cannot be checked", () => {
  test("is undecided when the budget runs out", async () => {
    // Every look may lead to either of two states, and the model never accepts the last operation.
    const model: Model<string, number, Toy> = {
      init: () => "",
      step: (state, { operation }) => (operation === look ? [`${state}a`, `${state}b`] : []),
    };
    const looks = { initial: 0, clients: [[...Array<Toy>(20).fill(look), increment]] };
    const it = execution(looks, Array(60).fill("0").join(" "));
    expect(await checked(it, { model, names: ["linearizability"] })).toEqual({
      found: [],
      undecided: "linearizability: no order was found within 200000 steps",
    });
  });

  test("is an error of the model when the model throws", async () => {
    const model: Model<number, number, Toy> = {
      init: () => 0,
      step: () => {
        throw new Error("not that");
      },
    };
    await expect(checked(inTurn, { model })).rejects.toThrow("checking an execution failed");
  });
});
