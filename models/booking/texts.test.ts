import { describe, expect, test } from "vitest";
import { seededTexts } from "./texts.ts";

function sample(seed: number): string[] {
  const texts = seededTexts(seed);
  return Array.from({ length: 10 }, () => [
    texts.provider(),
    texts.customer(),
    texts.note(),
  ]).flat();
}

describe("seededTexts", () => {
  test("repeats its texts for the same seed, and only for that", () => {
    const first = sample(1);
    const other = sample(2);
    expect(sample(1)).toEqual(first);
    expect(other).not.toEqual(first);
  });

  test("writes several scripts, quotes, backslashes, line breaks and emoji", () => {
    const all = Array.from({ length: 20 }, (_, i) => sample(i * 1000)).join("|");
    for (const kind of [
      /'/,
      /"/,
      /\\/,
      /\n/,
      /\p{Script=Han}/u,
      /[ąćęłńóśżŁŚŻ]/,
      /\p{Emoji_Presentation}/u,
    ]) {
      expect(all).toMatch(kind);
    }
  });
});
