import type { PairSearch } from "../explorer/campaign.ts";
import { counted, number } from "./counted.ts";
import { html, type Markup } from "./html/markup.ts";
import { type Column, table } from "./html/table.ts";
import { printable } from "./printable.ts";

const HEADINGS = ["pair", "explored", "pruned", "outcomes"] as const;

const UNPRUNED = "–: nothing is left out; with --preemptions all, what comes to the same is";

/** The searches that were begun as lines of text, with a heading; nothing when there are none. */
export function pairLines(pairs: readonly PairSearch[]): string[] {
  const begun = pairs.filter((pair) => pair.explored > 0);
  if (begun.length === 0) return [];
  const rows = [
    HEADINGS,
    ...begun.map(
      (pair) =>
        [printable(pair.name), explored(pair), pruned(pair), number(pair.outcomes)] as const,
    ),
  ];
  const widths = HEADINGS.map((_, at) => Math.max(...rows.map((row) => row[at]?.length ?? 0)));
  const lines = rows.map((row) =>
    row
      .map((cell, at) => (at === 0 ? cell.padEnd(widths[0] ?? 0) : cell.padStart(widths[at] ?? 0)))
      .join("  "),
  );
  const left = pairs.length - begun.length;
  const unpruned = begun.some((pair) => pair.pruned === null);
  return [
    ...lines,
    ...(unpruned ? [UNPRUNED] : []),
    ...(left === 0 ? [] : [`${counted(left, "pair")} not explored`]),
  ];
}

/** The same for the page. */
export function pairTable(pairs: readonly PairSearch[]): Markup | undefined {
  if (pairs.length === 0) return undefined;
  const columns: Column[] = [
    { title: "Pair" },
    { title: "Explored", kind: "number" },
    { title: "Pruned", kind: "number" },
    { title: "Outcomes", kind: "number" },
  ];
  const rows = pairs.map((pair) => [
    html`<code>${pair.name}</code>`,
    pair.complete ? explored(pair) : html`<strong class="unknown">${explored(pair)}</strong>`,
    pruned(pair),
    number(pair.outcomes),
  ]);
  return html`<h3>Pairs of operations</h3>
${table("How many interleavings of each pair were executed; how many choices were left out, since all that they lead to comes to the same as something that was executed (– where nothing was, as within a bound of preemptions); and how many different responses and final states there were", columns, rows)}`;
}

function pruned(pair: PairSearch): string {
  return pair.pruned === null ? "–" : number(pair.pruned);
}

function explored(pair: PairSearch): string {
  return pair.complete ? number(pair.explored) : `${number(pair.explored)}, not all`;
}
