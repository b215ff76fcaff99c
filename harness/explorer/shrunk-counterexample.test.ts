import fc, { type Arbitrary } from "fast-check";
import { expect, test } from "vitest";
import { Checkers, checkersOf } from "../checkers/registry.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { fakeExecutor } from "./executor.fixture.ts";
import { generator } from "./generate.ts";
import { shrunkCounterexample } from "./shrunk-counterexample.ts";
import { executeToy, increment, type Toy, toyService } from "./toy.fixture.ts";

/** Increments that carry more than they have to. */
const wordy = fc.record({
  name: fc.constant("increment"),
  weight: fc.integer({ min: 1, max: 9 }),
  note: fc.string({ minLength: 1 }),
}) as Arbitrary<Toy>;

const service = toyService({
  scenarios: () =>
    fc.record({ initial: fc.nat(3), clients: fc.tuple(fc.tuple(wordy), fc.tuple(wordy)) }),
});
const { tree } = generator(service, { minClients: 2, maxClients: 2 }, 1)(0);

async function shrunk(generated: typeof tree | undefined) {
  const checkers = new Checkers(checkersOf(service));
  const entries = ["0", "0", "1", "1", "0", "1"];
  const execution = executeToy(tree.value, new ReplayScheduler({ version: 1, entries }));
  const { violations } = await checkers.check(execution, async () => execution);
  const { counterexample } = await shrunkCounterexample(
    { execution, violations },
    {
      executor: fakeExecutor(executeToy),
      service,
      checkers,
      tree: generated,
      timeMs: 60_000,
      signal: undefined,
      onExecution: () => {},
    },
  );
  expect(counterexample.shrunk.minimal).toBe(true);
  return counterexample.scenario;
}

test("the arguments of a generated scenario shrink as far as its generator goes", async () => {
  const light = { ...increment, weight: 1, note: " " };
  expect(await shrunk(tree)).toEqual({ initial: 0, clients: [[light], [light]] });
});

test("a scenario that was not generated keeps its arguments", async () => {
  expect(await shrunk(undefined)).toEqual(tree.value);
});
