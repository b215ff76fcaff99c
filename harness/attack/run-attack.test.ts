import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { Response } from "../core/history.ts";
import type { Model } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import type { Attack, AttackRun } from "../service/attack.ts";
import { runAttack } from "./run-attack.ts";

const TARGET = { url: "http://localhost", databaseUrl: undefined, concurrency: 1, seed: "s" };
const options = (changes = {}) => ({
  iterations: 5,
  timeMs: 60_000,
  signal: new AbortController().signal,
  onRound: () => {},
  ...changes,
});

/** A counter. Each round asks for the next number. */
const counter: Model<number, number, Operation> = {
  init: ({ initial }) => initial,
  step: (state, { response }) => (response?.body === state ? [state + 1] : []),
};

let closed = 0;
function attackAnswering(answer: (round: number) => number, round?: () => Promise<never>) {
  closed = 0;
  const run: AttackRun<number, Operation> = {
    initial: 0,
    round: async (index) => {
      if (index === 3) await round?.();
      const response: Response = { outcome: "ok", code: "OK", body: answer(index) };
      return {
        events: [
          { type: "invoke", client: 0, index, operation: { name: "next" } },
          { type: "return", client: 0, index, response },
        ],
        latencies: [],
        violations: [],
      };
    },
    end: async () => [],
    close: async () => {
      closed++;
    },
  };
  const attack: Attack<number, Operation> = {
    name: "count",
    description: "",
    rules: [],
    begin: async () => run,
  };
  return attack;
}

test("a history that the model explains is no violation", async () => {
  const attack = attackAnswering((round) => round);
  expect(await runAttack(attack, counter, TARGET, options())).toMatchObject({
    ...{ rounds: 5, violations: [], linearizability: "ok", unfinished: undefined },
  });
  expect(closed).toBe(1);
});

test("an answer that no order explains is a violation", async () => {
  const attack = attackAnswering((round) => (round === 4 ? 2 : round));
  expect(await runAttack(attack, counter, TARGET, options())).toMatchObject({
    violations: [{ checker: "linearizability", name: "linearizable" }],
    linearizability: "violated",
  });
});

test("without a model, linearizability is not checked", async () => {
  const attack = attackAnswering(() => 7);
  expect(await runAttack(attack, undefined, TARGET, options())).toMatchObject({
    ...{ violations: [], linearizability: "not checked", unfinished: undefined },
  });
});

test("an attack that ends early says why, and cleans up", async () => {
  const attack = attackAnswering((round) => round);
  const late = await runAttack(attack, counter, TARGET, options({ timeMs: 0 }));
  expect(late.unfinished).toBe("the time limit was reached after 0 of 5 rounds");
  const aborted = await runAttack(
    attack,
    counter,
    TARGET,
    options({ signal: AbortSignal.abort() }),
  );
  expect(aborted.unfinished).toBe("interrupted after 0 of 5 rounds");
  const failing = attackAnswering(
    (round) => round,
    () => Promise.reject(new HarnessError("CONNECTION_LOST", "the target is gone")),
  );
  const lost = await runAttack(failing, counter, TARGET, options());
  expect(lost).toMatchObject({
    unfinished: "the target is gone",
    error: { code: "CONNECTION_LOST" },
  });
  expect(closed).toBe(1);
});
