import type { PairSearch } from "../core/campaign.ts";
import { counted, number } from "./counted.ts";
import { html, type Markup } from "./html-markup.ts";
import { type Column, table } from "./html-table.ts";
import { printable } from "./printable.ts";

const HEADINGS = ["pair", "interleavings", "outcomes"] as const;

/** The searches that were begun as lines of text, with a heading; nothing when there are none. */
export function pairLines(pairs: readonly PairSearch[]): string[] {
  const begun = pairs.filter((pair) => pair.explored > 0);
  if (begun.length === 0) return [];
  const rows = [
    HEADINGS,
    ...begun.map((pair) => [printable(pair.name), explored(pair), number(pair.outcomes)] as const),
  ];
  const widths = HEADINGS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const [first = 0, second = 0, third = 0] = widths;
  const lines = rows.map(
    ([name, count, outcomes]) =>
      `${name.padEnd(first)}  ${count.padStart(second)}  ${outcomes.padStart(third)}`,
  );
  const left = pairs.length - begun.length;
  return left === 0 ? lines : [...lines, `${counted(left, "pair")} not explored`];
}

/** The same for the page. */
export function pairTable(pairs: readonly PairSearch[]): Markup | undefined {
  if (pairs.length === 0) return undefined;
  const columns: Column[] = [
    { title: "Pair" },
    { title: "Interleavings", kind: "number" },
    { title: "Outcomes", kind: "number" },
  ];
  const rows = pairs.map((pair) => [
    html`<code>${pair.name}</code>`,
    pair.complete ? explored(pair) : html`<strong class="unknown">${explored(pair)}</strong>`,
    number(pair.outcomes),
  ]);
  return html`<h3>Pairs of commands</h3>
${table("How many interleavings of each pair were executed, and how many different responses and final states these had", columns, rows)}`;
}

function explored(pair: PairSearch): string {
  return pair.complete ? number(pair.explored) : `${number(pair.explored)}, not all`;
}
