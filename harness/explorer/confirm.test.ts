import { expect, test } from "vitest";
import { Checkers, checkersOf } from "../checkers/registry.ts";
import type { EarlierExecution } from "../core/counterexample.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { confirm } from "./confirm.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { executeToy, increment, type Toy, type ToyExecution, toyService } from "./toy.fixture.ts";

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

/**
 * @param executed the executions since the last start, from 1
 * @param before the executions before the failing one
 */
async function confirmed(
  execute: (executed: number, started: number, executedBefore: readonly string[]) => ToyExecution,
  before: readonly EarlierExecution<number, Toy>[] = [],
) {
  let [executed, started] = [5, 0];
  let schedules: string[] = [];
  const executor = fakeExecutor(
    (given, scheduler) => {
      const { schedule } = executeToy(given, scheduler);
      const done = execute(++executed, started, schedules);
      schedules.push(schedule.entries.join(""));
      return done;
    },
    () => {
      [executed, started, schedules] = [0, started + 1, []];
    },
    before,
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
  const { unrepeated } = await confirmed((executed) => remembering(lost, executed));
  expect(unrepeated).toMatchObject({ recurs: "fresh", why: expect.stringContaining("outlives") });
  expect(unrepeated?.why).toContain("read 2");
});

const earlier = (...entries: string[]): EarlierExecution<number, Toy> => ({
  scenario,
  schedule: { version: 1, entries },
});
/** Schedules of the toy that are all different. */
const [first, second, third, fourth] = [
  earlier("0", "0", "0", "1", "1", "1"),
  earlier("1", "1", "1", "0", "0", "0"),
  earlier("0", "1", "0", "1", "0", "1"),
  earlier("1", "0", "1", "0", "1", "0"),
] as const;
const textOf = ({ schedule }: EarlierExecution<number, Toy>) => schedule.entries.join("");

test("a number that differs on each freshly started system is volatile", async () => {
  let random = 7;
  const { unrepeated, volatile } = await confirmed(() => {
    random = (random * 31) % 997;
    return remembering(lost, random);
  });
  expect(unrepeated).toBeUndefined();
  expect(volatile).toMatchObject([{ kind: "number" }]);
});

test("a violation that takes an earlier execution has it as a part", async () => {
  const { failing, unrepeated, before } = await confirmed(
    (executed) => (executed > 1 ? lost : fine),
    [first, second, third],
  );
  expect(failing.execution).toBe(lost);
  expect(before).toEqual([third]);
  expect(unrepeated).toMatchObject({
    recurs: "after others",
    why: expect.stringContaining("contains"),
  });
});

test("the earlier executions are the fewest after which the rule is broken", async () => {
  const needed = [first, third].map(textOf);
  const { before } = await confirmed(
    (_, __, done) => (needed.every((text) => done.includes(text)) ? lost : fine),
    [first, second, third, fourth],
  );
  expect(before).toEqual([first, third]);
});

test("where nothing is known of earlier executions, the failing one itself is tried", async () => {
  const { before } = await confirmed((executed) => (executed > 1 ? lost : fine));
  expect(before).toEqual([{ scenario, schedule: lost.schedule }]);
});

test("earlier executions that do not repeat the violation exactly are said to", async () => {
  const { before, unrepeated } = await confirmed(
    (executed, started) => {
      if (executed === 1) return fine;
      return started % 2 === 0 ? lost : { ...lost, trace: lost.trace.slice(0, -1) };
    },
    [first],
  );
  expect(before).toEqual([first]);
  expect(unrepeated?.why).toContain("does not repeat exactly");
});

test("a violation that recurs by chance is said to depend on what is not controlled", async () => {
  const { unrepeated, before } = await confirmed((executed, started) =>
    executed === 1 && started === 3 ? lost : fine,
  );
  expect(before).toBeUndefined();
  expect(unrepeated).toMatchObject({ recurs: "fresh", why: expect.stringContaining("decides") });
});

test("a violation that never recurs is not confirmed", async () => {
  const { unrepeated } = await confirmed(() => fine);
  expect(unrepeated).toMatchObject({ recurs: "never", why: expect.stringContaining("--fresh") });
});
