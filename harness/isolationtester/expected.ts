import { readFile } from "node:fs/promises";
import { format, parse } from "node:path";
import { differenceOf, lineDiff } from "./line-diff.ts";
import { readText } from "./read-text.ts";

/** How an outcome compares with what was expected; without a difference it is the same. */
export interface Comparison {
  /** The file that is the same, or the one that differs in the fewest lines. */
  readonly file: string;
  /** Lines with `-` are in the file, those with `+` in the outcome. */
  readonly difference: string;
}

/**
 * Compares an outcome with an expected file and with its variants: beside `name.out`, those named
 * `name_0.out` to `name_9.out` count as well
 * (https://www.postgresql.org/docs/15/regress-variant.html).
 * @throws HarnessError USAGE when the file cannot be read.
 */
export async function compareWithExpected(outcome: string, file: string): Promise<Comparison> {
  const texts = new Map([[file, await readText(file, "expected file")]]);
  const { dir, name, ext } = parse(file);
  for (let number = 0; number <= 9; number++) {
    const variant = format({ dir, name: `${name}_${number}`, ext });
    const text = await readFile(variant, "utf8").catch(() => undefined);
    if (text !== undefined) texts.set(variant, text);
  }
  for (const [path, text] of texts) if (text === outcome) return { file: path, difference: "" };
  const [nearest = [file, ""] as const] = [...texts]
    .map(([path, text]) => ({ path, text, difference: differenceOf(text, outcome) }))
    .sort((a, b) => a.difference - b.difference)
    .map(({ path, text }) => [path, text] as const);
  return { file: nearest[0], difference: lineDiff(nearest[1], outcome) };
}
