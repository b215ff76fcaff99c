import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Violation } from "../core/verdict.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { addToTally, EMPTY_TALLY, sumCounts, tallyOfExecution, tallyOfScenario } from "./tally.ts";
import { executeToy, increment, look, type Toy } from "./toy.fixture.ts";

const TWO = { initial: 0, clients: [[increment], [look]] };
const THREE = { initial: 0, clients: [[increment], [look], [look]] };
const choice = { task: "0", action: "release" } as const;

const execution = (changes: Partial<Execution<number, Toy>>): Execution<number, Toy> => ({
  ...executeToy(TWO, new RandomWalk(1)),
  ...changes,
});

const violation = (checker: string, name: string): Violation => ({
  checker,
  name,
  message: "",
  evidence: [],
});

test("the tally of an execution counts its events", () => {
  const deadlock = { sqlstate: "40P01", message: "deadlock detected" };
  const one = execution({
    trace: [
      { type: "move", choice, enabled: [choice], preemption: false },
      { type: "invoke", client: 0, index: 0, operation: increment },
      { type: "move", choice, enabled: [choice], preemption: true },
      { type: "statement", task: "0.1", statement: { sql: "select 1", values: [] } },
      { type: "wait", task: "0", for: ["1"] },
      { type: "result", task: "0", result: { tags: [], error: deadlock, transaction: "failed" } },
      { type: "result", task: "1", result: { tags: ["SELECT 1"], transaction: "idle" } },
      {
        type: "return",
        client: 0,
        index: 0,
        response: { outcome: "fail", code: "CONFLICT", body: null },
      },
      { type: "invoke", client: 1, index: 0, operation: look },
    ],
  });
  const other = executeToy(THREE, new RandomWalk(1));
  const none = { violations: [] };
  const both = sumCounts(tallyOfExecution(one, none, 0), tallyOfExecution(other, none, 0));
  expect(both).toMatchObject({
    executions: 2,
    compared: 0,
    violations: 0,
    undecided: 0,
    steps: 2 + 7,
    waits: 1,
    deadlocks: 1,
    executionsByClients: { 2: 1, 3: 1 },
    responses: { increment: { CONFLICT: 1, OK: 1 }, look: { "(no answer)": 1, OK: 2 } },
    statements: { increment: 1 + 2, look: 2 },
  });
  expect(both.preemptions).toBeGreaterThan(0);
});

test("an execution counts once for each rule that it violates, by checker and name", () => {
  const name = "no-server-error";
  const twice = violation("contract", name);
  const results = [
    { violations: [twice, twice, violation("invariant", name)] },
    { violations: [violation("invariant", name)] },
    { violations: [], undecided: "the budget ran out" },
  ];
  const all = results.map((result, at) => tallyOfExecution(execution({}), result, at));
  expect(all.reduce(sumCounts)).toMatchObject({
    executions: 3,
    compared: 3,
    violations: 2,
    undecided: 1,
    violated: { "contract/no-server-error": 1, "invariant/no-server-error": 2 },
  });
});

test("the tally of a scenario counts its patterns", () => {
  const crowd = {
    name: "crowd",
    description: "three clients",
    threshold: 0.1,
    matches: ({ clients }: typeof TWO) => clients.length > 2,
  };
  const all = [TWO, THREE, TWO].map((scenario) => tallyOfScenario(scenario, [crowd]));
  expect(all.reduce(sumCounts)).toEqual({ ...EMPTY_TALLY, scenarios: 3, patterns: { crowd: 1 } });
});

test("a sum is equal if a part came from another process; its names keep the order of their first appearance", () => {
  const codes = (...names: string[]) => ({
    ...EMPTY_TALLY,
    responses: { a: Object.fromEntries(names.map((name) => [name, 1])) },
  });
  const all = [codes("Z", "A"), codes("M", "Z"), EMPTY_TALLY];
  const copies = all.map((tally) => JSON.parse(JSON.stringify(tally)) as typeof EMPTY_TALLY);
  expect(JSON.stringify(copies.reduce(sumCounts))).toBe(JSON.stringify(all.reduce(sumCounts)));
  expect(Object.entries(all.reduce(sumCounts).responses["a"] ?? {})).toEqual([
    ["Z", 2],
    ["A", 1],
    ["M", 1],
  ]);
});

test("adding in place gives the sum, and leaves the parts unchanged", () => {
  const parts = [TWO, THREE, TWO].map((scenario) =>
    tallyOfExecution(executeToy(scenario, new RandomWalk(1)), { violations: [] }, 1),
  );
  const before = structuredClone(parts);
  const total = structuredClone(EMPTY_TALLY);
  for (const part of parts) addToTally(total, part);
  expect(total).toEqual(parts.reduce(sumCounts));
  expect(parts).toEqual(before);
});

test("faults are counted by their events, and a retry by its move", () => {
  const retry = { task: "0", action: "retry" } as const;
  const faulty = execution({
    trace: [
      { type: "fault", task: "0", fault: "cut-before" },
      { type: "move", choice: retry, enabled: [choice], preemption: false },
    ],
  });
  const counted = tallyOfExecution(faulty, { violations: [] }, 0, ["cancel"]);
  expect(counted).toMatchObject({
    faults: { "cut-before": 1, retry: 1 },
    faultPlaces: { cancel: 1 },
  });
});
