import { expect, test } from "vitest";
import { RandomWalk } from "./random.ts";
import { walk } from "./toy.fixture.ts";

const TOY = [[3], [2, 1], [3]];

function walks(seed: number, count: number): string[] {
  const random = new RandomWalk(seed);
  return Array.from({ length: count }, () => {
    expect(random.begin()).toBe(true);
    return walk(TOY, random).entries.join("");
  });
}

test("the same seed gives the same walks, another seed other walks", () => {
  expect(walks(7, 5)).toEqual(walks(7, 5));
  expect(walks(7, 5)).not.toEqual(walks(8, 5));
  expect(walks(-2147483648, 2)).toEqual(walks(-2147483648, 2));
  expect(new Set(walks(7, 20)).size).toBeGreaterThan(15);
});

test("each enabled task is chosen about equally often", () => {
  const random = new RandomWalk(1);
  const enabled = ["0", "1", "2", "bg"].map((task) => ({ task, action: "release" as const }));
  const counts = new Map(enabled.map(({ task }) => [task, 0]));
  for (let i = 0; i < 4_000; i++) {
    const { task } = random.choose(enabled);
    counts.set(task, (counts.get(task) ?? 0) + 1);
  }
  for (const count of counts.values()) expect(Math.abs(count - 1_000)).toBeLessThan(150);
});

test("a walk fails if no task is enabled", () => {
  expect(() => new RandomWalk(1).choose([])).toThrow();
});
