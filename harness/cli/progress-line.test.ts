import { PassThrough } from "node:stream";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import type { Progress } from "../explorer/bounded-exploration.ts";
import { ProgressLine, progressText } from "./progress-line.ts";

const progress = (changes: Partial<Progress> = {}): Progress => ({
  phase: "exploring",
  executions: 1_204,
  violations: 0,
  elapsedMs: 4_800,
  ...changes,
});

describe("progress in words", () => {
  const limits = (runs: number | undefined, timeMs: number | undefined) => ({ runs, timeMs });

  test.each([
    [limits(3_000, undefined), {}, "1,204 of 3,000 runs, 251 runs/s, 0 violations, 8 s left"],
    [limits(undefined, 60_000), {}, "1,204 runs, 251 runs/s, 0 violations, 56 s left"],
    [limits(3_000, 5_000), {}, "1,204 of 3,000 runs, 251 runs/s, 0 violations, 1 s left"],
    [limits(undefined, undefined), {}, "1,204 runs, 251 runs/s, 0 violations"],
    [
      limits(3_000, undefined),
      { violations: 1 },
      "1,204 of 3,000 runs, 251 runs/s, 1 violation, 8 s left",
    ],
    [
      limits(3_000, undefined),
      { phase: "shrinking" },
      "1,204 of 3,000 runs, 251 runs/s, 0 violations, shrinking",
    ],
    [
      limits(3_000, undefined),
      { executions: 3_000 },
      "3,000 of 3,000 runs, 625 runs/s, 0 violations, 0 s left",
    ],
    [limits(undefined, undefined), { executions: 1 }, "1 run, 0 runs/s, 0 violations"],
    [limits(20, undefined), { executions: 21 }, "20 of 20 runs, 4 runs/s, 0 violations, 0 s left"],
    [limits(1, undefined), { executions: 1 }, "1 of 1 run, 0 runs/s, 0 violations, 0 s left"],
    [limits(undefined, 4_000), {}, "1,204 runs, 251 runs/s, 0 violations, 0 s left"],
    [limits(undefined, 4_500), {}, "1,204 runs, 251 runs/s, 0 violations, 0 s left"],
    [limits(10, undefined), { executions: 0 }, "0 of 10 runs, 0 runs/s, 0 violations"],
    [
      limits(10, 9_000),
      { executions: 0, elapsedMs: 0 },
      "0 of 10 runs, 0 runs/s, 0 violations, 9 s left",
    ],
  ] as const)("limited by %j, with %j: %s", (limit, changes, text) => {
    expect(progressText(progress(changes), limit)).toBe(text);
  });
});

describe("a progress line", () => {
  const LIMITS = { runs: 3_000, timeMs: undefined };

  /** A progress line on a terminal or elsewhere, and its output. */
  function line(isTTY: boolean) {
    const stream = new PassThrough();
    const output = Object.assign(stream, { isTTY }) as unknown as NodeJS.WriteStream;
    return { line: new ProgressLine(output, LIMITS), written: () => String(stream.read() ?? "") };
  }

  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["performance"] });
  });

  afterEach(() => {
    vi.useRealTimers();
  });

  test("is overwritten on a terminal, at most ten times a second", () => {
    const { line: shown, written } = line(true);
    shown.show(progress());
    expect(written()).toBe(`\r\u001b[2K${progressText(progress(), LIMITS)}`);
    vi.advanceTimersByTime(99);
    shown.show(progress({ executions: 1_300 }));
    expect(written()).toBe("");
    vi.advanceTimersByTime(1);
    shown.show(progress({ executions: 1_300 }));
    expect(written()).toContain("\r\u001b[2K1,300 of");
    shown.clear();
    expect(written()).toBe("\r\u001b[2K");
  });

  test("is a new line elsewhere, at most every five seconds", () => {
    const { line: shown, written } = line(false);
    shown.show(progress());
    expect(written()).toBe(`${progressText(progress(), LIMITS)}\n`);
    vi.advanceTimersByTime(4_999);
    shown.show(progress());
    expect(written()).toBe("");
    vi.advanceTimersByTime(1);
    shown.show(progress());
    expect(written()).toMatch(/^1,204 of .*\n$/);
    shown.clear();
    expect(written()).toBe("");
  });

  test("is printed at once when shrinking begins", () => {
    const { line: shown, written } = line(false);
    shown.show(progress());
    shown.show(progress({ phase: "shrinking" }));
    expect(written().split("\n")).toHaveLength(3);
  });
});
