import { expect, test } from "vitest";
import type { Choice } from "../core/schedule.ts";
import { FreeSteps } from "./free-steps.ts";
import { ReplayScheduler } from "./replay.ts";
import { walk } from "./toy.fixture.ts";

const release = (task: string): Choice => ({ task, action: "release" });
const ENABLED = [release("0"), release("1"), release("2")];

/** The choices until the given number of them. */
function choices(scheduler: FreeSteps | ReplayScheduler, count: number): readonly Choice[] {
  return Array.from({ length: count }, () => scheduler.choose(ENABLED, undefined));
}

test("the tasks run at the same time after the given steps: all but the last one are free", () => {
  const orders = Array.from({ length: 20 }, (_, seed) => {
    const [first, ...free] = choices(FreeSteps.after(["2"], ["0", "1"], seed), 3);
    expect(first).toEqual(release("2"));
    expect(free.map((choice) => choice.free)).toEqual([true, undefined]);
    return free.map(({ task }) => task).join();
  });
  expect(new Set(orders)).toEqual(new Set(["0,1", "1,0"]));
});

test("after the free steps the choices are random, and the seed determines them", () => {
  const rest = (seed: number) =>
    walk([[3], [3]], FreeSteps.after([], ["0", "1"], seed))
      .entries.slice(2)
      .join("");
  expect(rest(1)).toBe(rest(1));
  expect(new Set(Array.from({ length: 20 }, (_, seed) => rest(seed))).size).toBeGreaterThan(5);
});

test("delays are at most 2 ms, and most are none", () => {
  const steps = FreeSteps.after([], [], 1);
  const delays = Array.from({ length: 200 }, () => steps.delayMs());
  expect(delays.every((ms) => ms >= 0 && ms <= 2)).toBe(true);
  expect(delays.filter((ms) => ms === 0).length).toBeGreaterThan(100);
  expect(delays.some((ms) => ms > 0)).toBe(true);
});

test("a replay follows free steps, and reports one that is not enabled", () => {
  const replay = new ReplayScheduler({ version: 1, entries: ["0+", "1", "7+"] });
  expect(replay.inject([], ENABLED)).toBeUndefined();
  expect(choices(replay, 2)).toEqual([{ ...release("0"), free: true }, release("1")]);
  expect(replay.diverged()).toBe("the execution ended after 2 of the schedule's 3 steps");
  replay.choose(ENABLED, "1");
  expect(replay.diverged()).toBe("at step 2 task 7+ should move, but it is not enabled");
});
