import fc from "fast-check";
import { expect, test } from "vitest";
import { generator, mix } from "./generate.ts";
import { increment, toyService } from "./toy.fixture.ts";

const BOUNDS = { minClients: 2, maxClients: 4 };
const inputs = (seed: number) => generator(toyService(), BOUNDS, seed);

test("the same seed and number give the same input, whatever was generated before", () => {
  const forwards = inputs(7);
  const backwards = inputs(7);
  const numbers = [0, 1, 2, 3, 50];
  const plain = ({ scenario, scheduleSeed }: ReturnType<typeof forwards>) => [
    scenario,
    scheduleSeed,
  ];
  const first = numbers.map((number) => plain(forwards(number)));
  const second = numbers.toReversed().map((number) => plain(backwards(number)));
  expect(second.toReversed()).toEqual(first);
});

test("another seed or number gives another input", () => {
  const seeds = [-2147483648, -1, 0, 1, 2, 2147483647];
  const seen = seeds.flatMap((seed) => {
    const input = inputs(seed);
    return Array.from({ length: 50 }, (_, index) => input(index).scheduleSeed);
  });
  expect(new Set(seen).size).toBe(seen.length);
});

test("the numbers of clients span the bounds", () => {
  const input = inputs(1);
  const sizes = Array.from({ length: 60 }, (_, index) => input(index).scenario.clients.length);
  expect(new Set(sizes)).toEqual(new Set([2, 3, 4]));
});

test("the seed of a schedule is a 32-bit integer", () => {
  const input = inputs(1);
  for (let index = 0; index < 50; index++) {
    const { scheduleSeed } = input(index);
    expect(scheduleSeed | 0).toBe(scheduleSeed);
  }
});

test("the scenarios are those that fast-check samples with the mixed seed", () => {
  const service = toyService();
  const scenario = service.scenarios(BOUNDS);
  const sampled = fc.record({ scenario, scheduleSeed: fc.noBias(fc.integer()) });
  for (const seed of [-2147483648, -7, 0, 1, 2, 99, 2147483647]) {
    const input = generator(service, BOUNDS, seed);
    for (let index = 0; index < 100; index++) {
      const { tree, ...generated } = input(index);
      const [expected] = fc.sample(sampled, { seed: mix(seed, index), numRuns: 1 });
      expect(generated).toEqual(expected);
      expect(tree.value).toBe(generated.scenario);
    }
  }
});

test("each child of the shrink tree could have been generated, and the tree is finite", () => {
  const { tree } = inputs(3)(4);
  let node: typeof tree | undefined = tree;
  let last = tree;
  while (node !== undefined) {
    last = node;
    expect(node.value.clients.length).toBeGreaterThanOrEqual(BOUNDS.minClients);
    [node] = node.children();
  }
  expect(last.value).toEqual({ initial: 0, clients: [[increment], [increment]] });
});

test("an error in the service's generator names the service", () => {
  const broken = toyService({
    scenarios: () =>
      fc.nat().map(() => {
        throw new Error("no such state");
      }),
  });
  const message = "the service's scenarios() failed: Error: no such state";
  expect(() => generator(broken, BOUNDS, 1)(0)).toThrow(message);
});
