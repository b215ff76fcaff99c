import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { preemptionCount, type Snapshot } from "../core/execution.ts";
import { ClientOrder } from "../scheduler/client-order.ts";
import { breakingCommit, passingSerialRun } from "./explain-violation.ts";
import { executeToy, increment, look, type ToyExecution } from "./toy.fixture.ts";

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

test("the breaking commit is the one from which on the rule stays broken until the end", async () => {
  expect(await again(true, false, false)).toBe(2);
  expect(await again(false, true, true, false)).toBe(4);
  expect(await again(true, true)).toBeUndefined();
  expect(await again()).toBeUndefined();
});

test("with each commit observed, the breaking commit is the first broken one, and nothing is executed", async () => {
  const never = async () => Promise.reject(new Error("it is executed again"));
  expect(await breakingCommit(looked(plain, true, false, true, false), never, holds)).toBe(2);
});

test("the breaking commit is unknown if the repeated execution diverges or the harness fails", async () => {
  const other = executeToy({ initial: 0, clients: [[increment]] }, new ClientOrder([0, 1]));
  expect(await breakingCommit(plain, async () => looked(other, false), holds)).toBeUndefined();
  const failing = async () => Promise.reject(new HarnessError("CONNECTION_LOST", "gone"));
  expect(await breakingCommit(plain, failing, holds)).toBeUndefined();
});

const scenario = { initial: 0, clients: [[look], [increment]] };
const execute = async (...given: Parameters<typeof executeToy>) => executeToy(...given);
const answer = ({ trace }: ToyExecution) =>
  trace.flatMap((event) =>
    event.type === "return" && event.client === 0 ? event.response.body : [],
  );

test("the passing serial run is the first order of whole operations in which the rule holds", async () => {
  const seesIt = async (execution: ToyExecution) => answer(execution)[0] === 1;
  const serial = await passingSerialRun(scenario, execute, seesIt);
  expect(serial && preemptionCount(serial.trace)).toBe(0);
  expect(serial && answer(serial)).toEqual([1]);
});

test("there is no passing serial run if the rule holds in no order or the harness fails", async () => {
  expect(await passingSerialRun(scenario, execute, async () => false)).toBeUndefined();
  const failing = async () => Promise.reject(new HarnessError("CONNECTION_LOST", "gone"));
  expect(await passingSerialRun(scenario, failing, async () => true)).toBeUndefined();
});
