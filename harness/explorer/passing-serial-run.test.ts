import { expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { preemptionCount } from "../core/execution.ts";
import { passingSerialRun } from "./passing-serial-run.ts";
import { executeToy, increment, look, type ToyExecution } from "./toy.fixture.ts";

const scenario = { initial: 0, clients: [[look], [increment]] };
const execute = async (...given: Parameters<typeof executeToy>) => executeToy(...given);
const answer = ({ trace }: ToyExecution) =>
  trace.flatMap((event) =>
    event.type === "return" && event.client === 0 ? event.response.body : [],
  );

test("is the first order of whole operations in which the rule holds", async () => {
  const seesIt = async (execution: ToyExecution) => answer(execution)[0] === 1;
  const serial = await passingSerialRun(scenario, execute, seesIt);
  expect(serial && preemptionCount(serial.trace)).toBe(0);
  expect(serial && answer(serial)).toEqual([1]);
});

test("is none where no order keeps the rule, or the harness fails", async () => {
  expect(await passingSerialRun(scenario, execute, async () => false)).toBeUndefined();
  const failing = async () => Promise.reject(new HarnessError("CONNECTION_LOST", "gone"));
  expect(await passingSerialRun(scenario, failing, async () => true)).toBeUndefined();
});
