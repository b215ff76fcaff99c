import { expect, test } from "vitest";
import { Checkers, checkersOf } from "../checkers/registry.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { confirm } from "./confirm.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { executeToy, increment, type ToyExecution, toyService } from "./toy.fixture.ts";

const service = toyService();
const checkers = new Checkers(checkersOf(service));
const scenario = { initial: 0, clients: [[increment], [increment]] };
const run = (...entries: string[]) => {
  const scheduler = new ReplayScheduler({ version: 1, entries });
  scheduler.begin();
  return executeToy(scenario, scheduler);
};
const lost = run("0", "0", "1", "1", "0", "1");
const fine = run("0", "0", "0", "1", "1", "1");

/** @param executed the executions since the last start, from 1 */
async function confirmed(execute: (executed: number, started: number) => ToyExecution) {
  let [executed, started] = [5, 0];
  const executor = fakeExecutor(
    (given, scheduler) => {
      executeToy(given, scheduler);
      return execute(++executed, started);
    },
    () => {
      [executed, started] = [0, started + 1];
    },
  );
  const { violations } = await checkers.check(lost, async () => lost);
  return confirm({ execution: lost, violations }, executor, checkers);
}

/** The execution with a statement that differs. */
const remembering = (execution: ToyExecution, value: number): ToyExecution => ({
  ...execution,
  trace: execution.trace.map((event) =>
    event.type === "statement"
      ? { ...event, statement: { sql: `read ${value}`, values: [] } }
      : event,
  ),
});

test("a violation that recurs on a freshly started system is confirmed", async () => {
  const { failing, unrepeated } = await confirmed(() => lost);
  expect(failing.execution).toBe(lost);
  expect(unrepeated).toBeUndefined();
});

test("a counterexample is what a freshly started system does", async () => {
  const cold = remembering(lost, 0);
  const { failing, unrepeated } = await confirmed(() => cold);
  expect(failing.execution).toBe(cold);
  expect(unrepeated).toBeUndefined();
});

test("what outlives an execution is said, with the difference", async () => {
  const { unrepeated } = await confirmed((executed, started) =>
    remembering(lost, 10 * started + executed),
  );
  expect(unrepeated).toMatchObject({ recurs: "fresh", why: expect.stringContaining("outlives") });
  expect(unrepeated?.why).toContain("read 12");
});

test("a violation that takes earlier executions is said to", async () => {
  const { failing, unrepeated } = await confirmed((executed) => (executed > 1 ? lost : fine));
  expect(failing.execution).toBe(lost);
  expect(unrepeated).toMatchObject({ recurs: "after others" });
});

test("a violation that never recurs is not confirmed", async () => {
  const { unrepeated } = await confirmed(() => fine);
  expect(unrepeated).toMatchObject({ recurs: "never", why: expect.stringContaining("--fresh") });
});
