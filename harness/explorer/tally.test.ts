import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Violation } from "../core/verdict.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { Tally } from "./tally.ts";
import { executeToy, increment, look, type Toy, toySubject } from "./toy.fixture.ts";

const TWO = { initial: 0, clients: [[increment], [look]] };
const THREE = { initial: 0, clients: [[increment], [look], [look]] };
const choice = { lane: "0", action: "release" } as const;

const execution = (changes: Partial<Execution<number, Toy>>): Execution<number, Toy> => ({
  ...executeToy(TWO, new RandomWalk(1)),
  ...changes,
});

const violation = (judge: string, name: string): Violation => ({
  judge,
  name,
  message: "",
  evidence: [],
});

test("counts what happened in executions", () => {
  const tally = new Tally(toySubject());
  const deadlock = { sqlstate: "40P01", message: "deadlock detected" };
  tally.execution(
    execution({
      trace: [
        { type: "move", choice, enabled: [choice], preemption: false },
        { type: "invoke", client: 0, index: 0, command: increment },
        { type: "move", choice, enabled: [choice], preemption: true },
        { type: "wait", lane: "0", for: ["1"] },
        { type: "result", lane: "0", result: { tags: [], error: deadlock, transaction: "failed" } },
        { type: "result", lane: "1", result: { tags: ["SELECT 1"], transaction: "idle" } },
        {
          type: "return",
          client: 0,
          index: 0,
          response: { outcome: "fail", code: "CONFLICT", body: null },
        },
        { type: "invoke", client: 1, index: 0, command: look },
      ],
    }),
    [],
  );
  tally.execution(executeToy(THREE, new RandomWalk(1)), []);
  expect(tally.summary()).toMatchObject({
    executions: 2,
    violations: 0,
    steps: 2 + 7,
    waits: 1,
    deadlocks: 1,
    executionsByClients: { 2: 1, 3: 1 },
    responses: { increment: { CONFLICT: 1, OK: 1 }, look: { "(no answer)": 1, OK: 2 } },
  });
  expect(tally.summary().preemptions).toBeGreaterThan(0);
});

test("counts an execution once for each rule that it broke, by judge and name", () => {
  const contract = "no-server-error";
  const named = { name: contract, description: "", check: () => [] };
  const tally = new Tally(toySubject({ invariants: [named] }));
  const twice = violation("contract", contract);
  tally.execution(execution({}), [twice, twice]);
  tally.execution(execution({}), [violation("contract", "known-codes")]);
  tally.execution(execution({}), []);
  const { rules, violations } = tally.summary();
  expect(violations).toBe(2);
  const violated = rules.map(({ judge, name, violated: times }) => [`${judge} ${name}`, times]);
  expect(Object.fromEntries(violated)).toEqual({
    "invariant no-server-error": 0,
    "contract no-server-error": 1,
    "contract known-codes": 1,
    "contract no-endless-wait": 0,
    "contract no-open-transaction": 0,
  });
  expect(rules.every(({ checked }) => checked === 3)).toBe(true);
});

test("counts patterns among scenarios, and gives their shares", () => {
  const pattern = {
    name: "crowd",
    description: "three clients",
    threshold: 0.1,
    matches: ({ clients }: typeof TWO) => clients.length > 2,
  };
  const tally = new Tally(toySubject({ patterns: [pattern] }));
  expect(tally.summary().patterns).toMatchObject([{ scenarios: 0, share: 0 }]);
  for (const scenario of [TWO, THREE, TWO, TWO]) tally.scenario(scenario);
  expect(tally.summary().scenarios).toBe(4);
  expect(tally.summary().patterns).toEqual([
    {
      name: "crowd",
      description: "three clients",
      threshold: 0.1,
      scenarios: 1,
      share: 0.25,
      missed: false,
    },
  ]);
});

test("a pattern is missed when its share is less than chance explains", () => {
  const missed = (threshold: number) => {
    const never = { name: "never", description: "", threshold, matches: () => false };
    const tally = new Tally(toySubject({ patterns: [never] }));
    for (let left = 100; left > 0; left--) tally.scenario(TWO);
    return tally.summary().patterns[0]?.missed;
  };
  expect([missed(0), missed(0.01), missed(0.2), missed(1)]).toEqual([false, false, true, true]);
});

test("the digest tells two campaigns apart that saw something else, also in another order", () => {
  const [a, b] = [executeToy(TWO, new RandomWalk(1)), executeToy(THREE, new RandomWalk(1))];
  const digest = (...list: (typeof a)[]) => {
    const tally = new Tally(toySubject());
    for (const it of list) tally.execution(it, []);
    return tally.summary().digest;
  };
  expect(digest(a, b)).toBe(digest(a, b));
  expect(digest(a, b)).toMatch(/^[0-9a-f]{64}$/);
  expect(new Set([digest(a, b), digest(b, a), digest(a), digest()]).size).toBe(4);
});
