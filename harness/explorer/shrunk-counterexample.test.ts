import { expect, test } from "vitest";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { Checkers, checkersOf } from "./checkers.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { shrunkCounterexample } from "./shrunk-counterexample.ts";
import { executeToy, increment, type ToyScenario, toyService } from "./toy.fixture.ts";

const wordy = { ...increment, weight: 9, note: "by hand" };
const scenario: ToyScenario = { initial: 0, clients: [[wordy], [wordy]] };

/** The operations that are left of two increments that carry more than they have to. */
async function shrunk(accepts?: (scenario: ToyScenario) => boolean) {
  const service = toyService(accepts && { accepts });
  const checkers = new Checkers(checkersOf(service));
  const entries = ["0", "0", "1", "1", "0", "1"];
  const execution = executeToy(scenario, new ReplayScheduler({ version: 1, entries }));
  const { violations } = await checkers.check(execution, async () => execution);
  const { counterexample } = await shrunkCounterexample(
    { execution, violations },
    {
      executor: fakeExecutor(executeToy),
      service,
      checkers,
      timeMs: 60_000,
      signal: undefined,
      onExecution: () => {},
    },
  );
  expect(counterexample.shrunk.minimal).toBe(true);
  return counterexample.scenario.clients;
}

test("makes arguments plainer as far as the model accepts it", async () => {
  expect(await shrunk(() => true)).toEqual([[increment], [increment]]);
  const heavy = ({ clients }: ToyScenario) =>
    clients.flat().every(({ weight, note }) => Number(weight) > 0 && note !== undefined);
  const light = { ...increment, weight: 1, note: "" };
  expect(await shrunk(heavy)).toEqual([[light], [light]]);
});

test("leaves them alone where the model does not say what it accepts", async () => {
  expect(await shrunk()).toEqual([[wordy], [wordy]]);
});
