import { readFile } from "node:fs/promises";
import { format, parse } from "node:path";
import { structuredPatch } from "diff";
import { readText } from "./parse.ts";

/** How an output compares with an expected file. */
export interface Comparison {
  /** The expected file that equals the output, or else the one with the fewest changed lines. */
  readonly file: string;
  /** Empty if the file equals the output. Lines with `-` are in the file, lines with `+` in the output. */
  readonly difference: string;
}

/**
 * Compares an output with an expected file and with its variants: the files `name_0.out` to
 * `name_9.out` beside `name.out` are accepted as well
 * (https://www.postgresql.org/docs/15/regress-variant.html).
 * @throws HarnessError USAGE when the file cannot be read.
 */
export async function compareWithExpected(output: string, file: string): Promise<Comparison> {
  const texts = new Map([[file, await readText(file, "expected file")]]);
  const { dir, name, ext } = parse(file);
  for (let number = 0; number <= 9; number++) {
    const variant = format({ dir, name: `${name}_${number}`, ext });
    const text = await readFile(variant, "utf8").catch(() => undefined);
    if (text !== undefined) texts.set(variant, text);
  }
  for (const [path, text] of texts) if (text === output) return { file: path, difference: "" };
  const [nearest] = [...texts]
    .map(([path, text]) => ({ file: path, ...changes(text, output) }))
    .sort((a, b) => a.changedLines - b.changedLines);
  return { file: nearest?.file ?? file, difference: nearest?.difference ?? "" };
}

/** The difference of two texts line by line, as `diff -u` shows it; empty for equal texts. */
export function lineDiff(before: string, after: string): string {
  return changes(before, after).difference;
}

/** Texts with more changed lines are shown as one block, since a minimal diff takes too long. */
const MAX_CHANGED_LINES = 5_000;

function changes(before: string, after: string): { changedLines: number; difference: string } {
  // The added line breaks show a missing line break at the end as a line of its own.
  const patch = structuredPatch("", "", `${before}\n`, `${after}\n`, "", "", {
    context: 3,
    maxEditLength: MAX_CHANGED_LINES,
  });
  const hunks = patch?.hunks ?? [
    {
      oldStart: 1,
      newStart: 1,
      lines: [
        ...before.split("\n").map((line) => `-${line}`),
        ...after.split("\n").map((line) => `+${line}`),
      ],
    },
  ];
  return {
    changedLines: hunks.flatMap(({ lines }) => lines).filter((line) => /^[-+]/.test(line)).length,
    difference: hunks
      .flatMap(({ oldStart, newStart, lines }) => [`@@ -${oldStart} +${newStart} @@`, ...lines])
      .map((line) => `${line}\n`)
      .join(""),
  };
}
