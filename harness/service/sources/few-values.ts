import fc, { type Arbitrary } from "fast-check";
import type { Json } from "../../core/json.ts";

/*
 * Values for operations that a source describes: few, so that concurrent operations meet at the same ones, and
 * the edges of what is allowed among them.
 */

/** Times that every clock is before: a deadline in the past makes an operation fail. */
const TIMES = ["2099-01-01T10:00:00Z", "2099-01-01T11:00:00Z"] as const;

const UUIDS = [
  "11111111-1111-4111-8111-111111111111",
  "22222222-2222-4222-8222-222222222222",
] as const;

export const FEW = {
  uuid: fc.constantFrom(...UUIDS),
  time: fc.constantFrom(...TIMES),
  date: fc.constantFrom(...TIMES.map((time) => time.slice(0, 10))),
  clock: fc.constantFrom(...TIMES.map((time) => time.slice(11, 19))),
  duration: fc.constantFrom("PT1H", "PT2H"),
  email: fc.constantFrom("ann@example.com", "ben@example.com"),
  url: fc.constantFrom("https://example.com/a", "https://example.com/b"),
  address: fc.constantFrom("192.0.2.1", "192.0.2.2"),
} as const;

/** The least number and its neighbours, then greater ones, and the greatest. */
export function fewNumbers(least: number, greatest: number, step = 1): Arbitrary<number> {
  const near = [0, 1, 2].map((times) => least + times * step);
  const far = [10, 50].map((times) => Math.ceil(times / step) * step);
  const inside = (number: number) => number >= least && number <= greatest;
  const end = Number.isFinite(greatest) && greatest <= 1_000_000_000 ? [greatest] : [];
  const all = [...new Set([...near, ...far, ...end])].filter(inside);
  return fc.constantFrom(...(all.length === 0 ? [least] : all));
}

/** Two texts of a name, with at least and at most so many characters. */
export function fewTexts(name: string, least = 1, most = 64): Arbitrary<string> {
  const texts = ["a", "b"].map((end) => {
    const text = `${name}-${end}`.slice(-Math.max(1, most));
    return text.padEnd(least, end);
  });
  const longest = most < 64 && most > least ? ["c".repeat(most)] : [];
  return fc.constantFrom(...texts, ...longest);
}

/** The arbitrary with null, rarely. */
export function orNull<T extends Json>(values: Arbitrary<T>): Arbitrary<T | null> {
  return fc.oneof({ weight: 4, arbitrary: values }, { weight: 1, arbitrary: fc.constant(null) });
}

/** The same few values of an arbitrary each time. */
export function few<T>(values: Arbitrary<T>): Arbitrary<T> {
  return fc.constantFrom(...fc.sample(values, { seed: 1, numRuns: 3 }));
}
