import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { Snapshot } from "../core/execution.ts";
import { ClientOrder } from "../scheduler/client-order.ts";
import { breakingCommit } from "./breaking-commit.ts";
import { executeToy, increment, type ToyExecution } from "./toy.fixture.ts";

const plain = executeToy(
  { initial: 0, clients: [[increment], [increment]] },
  new ClientOrder([0, 1]),
);

/** The same, with committed state that was good (true) or broken after steps 1, 2, 3 and so on. */
const looked = (execution: ToyExecution, ...good: boolean[]): ToyExecution => ({
  ...execution,
  commits: good.map((it, at) => ({ step: at + 1, snapshot: { good: it ? [{}] : [] } })),
});
const holds = async ({ good = [] }: Snapshot) => good.length > 0;
const again = (...good: boolean[]) =>
  breakingCommit(plain, async (...given) => looked(executeToy(given[0], given[1]), ...good), holds);

test("is the one from which on the rule was broken to the end", async () => {
  expect(await again(true, false, false)).toBe(2);
  expect(await again(false, true, true, false)).toBe(4);
  expect(await again(true, true)).toBeUndefined();
  expect(await again()).toBeUndefined();
});

test("is the first where each commit is held to the rule; then nothing is executed", async () => {
  const never = async () => Promise.reject(new Error("it is executed again"));
  expect(await breakingCommit(looked(plain, true, false, true, false), never, holds)).toBe(2);
});

test("is unknown where the execution goes another way, or the harness fails", async () => {
  const other = executeToy({ initial: 0, clients: [[increment]] }, new ClientOrder([0, 1]));
  expect(await breakingCommit(plain, async () => looked(other, false), holds)).toBeUndefined();
  const failing = async () => Promise.reject(new HarnessError("CONNECTION_LOST", "gone"));
  expect(await breakingCommit(plain, failing, holds)).toBeUndefined();
});
