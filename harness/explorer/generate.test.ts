import { expect, test } from "vitest";
import { generator } from "./generate.ts";
import { toyService } from "./toy.fixture.ts";

const BOUNDS = { minClients: 2, maxClients: 4 };
const inputs = (seed: number) => generator(toyService(), BOUNDS, seed);

test("the same seed and number give the same input, whatever was asked for before", () => {
  const forwards = inputs(7);
  const backwards = inputs(7);
  const numbers = [0, 1, 2, 3, 50];
  const first = numbers.map((number) => forwards(number));
  const second = numbers.toReversed().map((number) => backwards(number));
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

test("the bounds are kept, and used", () => {
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
