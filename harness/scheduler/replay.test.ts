import { describe, expect, test } from "vitest";
import type { Choice } from "../core/schedule.ts";
import { RandomWalk } from "./random.ts";
import { ReplayScheduler } from "./replay.ts";
import { walk } from "./toy.fixture.ts";

const TOY = [[2], [1, 1]];
const replay = (...entries: string[]) => new ReplayScheduler({ version: 1, entries });

describe("a replay", () => {
  test("follows the schedule, once", () => {
    const { entries } = walk(TOY, new RandomWalk(3));
    const again = new ReplayScheduler({ version: 1, entries });
    expect(again.begin()).toBe(true);
    expect(walk(TOY, again).entries).toEqual(entries);
    expect(again.diverged()).toBeUndefined();
    expect(again.begin()).toBe(false);
  });

  test("skips an entry whose task is not enabled, and reports it", () => {
    const other = replay("1", "1", "7", "0", "9", "1", "0", "0", "1");
    expect(walk(TOY, other).entries).toEqual(["1", "1", "0", "1", "0", "0", "1"]);
    expect(other.diverged()).toBe("at step 2 task 7 should move, but it is not enabled");
  });

  test("continues with the task that moved last after the end of the schedule", () => {
    const other = replay("0", "1", "7");
    expect(walk(TOY, other).entries).toEqual(["0", "1", "1", "1", "1", "0", "0"]);
    expect(other.diverged()).toBe("at step 2 task 7 should move, but it is not enabled");
  });

  test("reports that the schedule ends before the execution", () => {
    const short = replay("0", "0");
    expect(walk(TOY, short).entries).toHaveLength(7);
    expect(short.diverged()).toBe("the schedule ends after 2 steps, but a task is still enabled");
  });

  test("reports that the execution ends before the schedule", () => {
    const long = replay("0", "0", "0", "0", "1");
    walk([[2]], long);
    expect(long.diverged()).toBe("the execution ended after 3 of the schedule's 5 steps");
  });

  test("reports the first difference only", () => {
    const other = replay("0", "7", "0", "0", "1");
    walk([[2]], other);
    expect(other.diverged()).toBe("at step 1 task 7 should move, but it is not enabled");
  });

  test("injects a fault at its entry, and reports one that is not possible", () => {
    const release: Choice = { task: "0", action: "release" };
    const cut: Choice = { task: "0", action: "cut-before" };
    const faulty = replay("0", "0!cut-before", "1!cancel", "0", "0!cut-before");
    expect(faulty.inject([cut], [release])).toBeUndefined();
    expect(faulty.choose([release], undefined)).toBe(release);
    expect(faulty.inject([cut], [release])).toBe(cut);
    expect(faulty.diverged()).toBe("the execution ended after 2 of the schedule's 5 steps");
    expect(faulty.inject([cut], [release])).toBeUndefined();
    expect(faulty.diverged()).toBe("at step 2 task 1!cancel should move, but it is not enabled");
    expect(faulty.choose([release], "0")).toBe(release);
    // A fault can be injected when no task is enabled.
    expect(faulty.inject([cut], [])).toBe(cut);
    expect(faulty.inject([cut], [])).toBeUndefined();
  });

  test("fails if no task is enabled", () => {
    expect(() => replay("0").choose([], undefined)).toThrow("choose from nothing");
  });
});
