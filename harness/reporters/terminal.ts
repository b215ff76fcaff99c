import { styleText } from "node:util";
import { beginning } from "./format-values.ts";

/** Applies a style to a text, or returns the text unchanged. */
export type Colours = (style: Parameters<typeof styleText>[0], text: string) => string;

/**
 * @param colour whether the terminal shows colours: `process.stdout.isTTY` and
 * `process.stdout.hasColors()`, which heeds NO_COLOR
 */
export function coloursFor(colour: boolean): Colours {
  if (!colour) return (_, text) => text;
  return (style, text) => styleText(style, text, { validateStream: false });
}

/** Breaks a line between words into lines of at most `columns` columns. Cuts a word that is longer. */
export function wrap(line: string, columns: number): string[] {
  const width = Math.max(columns, 1);
  const lines: string[] = [];
  let current = "";
  for (const word of line.split(" ")) {
    const joined = current === "" ? word : `${current} ${word}`;
    if (joined.length <= width) {
      current = joined;
      continue;
    }
    if (current !== "") lines.push(current);
    current = word;
    while (current.length > width) {
      const part = beginning(current, width) || current.slice(0, 2);
      lines.push(part);
      current = current.slice(part.length);
    }
  }
  if (current !== "" || lines.length === 0) lines.push(current);
  return lines;
}

/** A column of a table, on a page or in a terminal. Numbers are aligned to the right. */
export interface Column {
  readonly title: string;
  readonly kind?: "number";
}

/** A table as aligned lines, the titles first. */
export function tableLines(
  columns: readonly Column[],
  rows: readonly (readonly string[])[],
): string[] {
  const cells = [columns.map(({ title }) => title), ...rows];
  const widths = columns.map((_, at) => Math.max(...cells.map((row) => row[at]?.length ?? 0)));
  return cells.map((row) =>
    columns
      .map(({ kind }, at) => {
        const [cell, width] = [row[at] ?? "", widths[at] ?? 0];
        return kind === "number" ? cell.padStart(width) : cell.padEnd(width);
      })
      .join("  ")
      .trimEnd(),
  );
}
