import { duration, formatNumber, quantity } from "../format-values.ts";
import {
  bugsByOnlyChecker,
  checkerRow,
  findingOf,
  isExpected,
  replayCell,
  reportedCheckers,
  type SeededBugEntry,
  type SeededBugRecord,
  seededBugsSentence,
} from "../seeded-bugs.ts";
import type { Column } from "../terminal.ts";
import { type Content, detailsOf, html, list, type Markup, table } from "./markup.ts";
import { page, provenanceNote } from "./page.ts";

/** `mutants.html`. */
export function seededBugsHtml(record: SeededBugRecord): string {
  return page({
    title: `Seeded bugs · ${record.service}`,
    header: html`<p class="eyebrow">Heddle: seeded bugs</p>
<h1>${record.service}</h1>
`,
    main: seededBugsSection(record),
    footer: "For machines, the same is in mutants.json.",
  });
}

/**
 * The section about seeded bugs, for this page and for the page of a campaign.
 *
 * @param hashes of the sources of the page; by default those of the record
 */
export function seededBugsSection(record: SeededBugRecord, hashes = record.hashes): Markup {
  const { budget, seed, untried, results } = record;
  const worstFirst = results.toSorted((a, b) => Number(isExpected(a)) - Number(isExpected(b)));
  // A pass of some of the bugs is not a pass of all.
  const verdict = record.verdict === "pass" && untried.length > 0 ? "unknown" : record.verdict;
  const how = `Seed ${seed}; at most ${quantity(budget.runs, "execution")} of each`;
  return html`<section id="seeded">
<h2>Seeded bugs</h2>
<p>A campaign without violations means something only if the campaign can find a violation. So bugs are seeded by hand, one at a time, each with the checker that must catch it.</p>
<div class="verdict ${verdict}"><p>${seededBugsSentence(record)}.${untried.length === 0 ? "" : ` Not tried: ${untried.join(", ")}.`}</p></div>
${provenanceNote(record, how, hashes)}${table("Each seeded bug: which checker caught it, after how many executions, and the size of the counterexample", COLUMNS, worstFirst.map(bugRow))}
${detailsOf("Descriptions of the bugs", results.map(bugDescription))}${record.allCheckers ? checkersTable(record) : undefined}${baselineTable(record)}</section>
`;
}

/** Fewer columns than in the terminal, so that the table fits on paper. */
const COLUMNS: readonly Column[] = [
  { title: "Seeded bug" },
  { title: "Outcome" },
  { title: "Executions", kind: "number" },
  { title: "Time", kind: "number" },
  { title: "Counterexample" },
  { title: "Replays", kind: "number" },
];

function bugRow(result: SeededBugEntry): readonly Content[] {
  const { name, outcome, counterexample } = result;
  const { checker, executions, elapsedMs } = findingOf(result);
  const style = isExpected(result) ? "pass" : outcome === "unknown" ? "unknown" : "fail";
  const note = outcome === "equivalent" ? "no violation, as expected" : checker;
  return [
    html`<code>${name}</code>`,
    html`<strong class="${style}">${outcome}</strong><br><span class="note">${note}</span>`,
    formatNumber(executions),
    duration(elapsedMs),
    counterexample === null ? "" : sizeInWords(counterexample),
    replayCell(result),
  ];
}

function sizeInWords(counterexample: NonNullable<SeededBugEntry["counterexample"]>): string {
  const { operations, clients, preemptions, faults } = counterexample;
  return [
    `${quantity(operations, "operation")} of ${quantity(clients, "client")}`,
    quantity(preemptions, "preemption"),
    ...(faults > 0 ? [quantity(faults, "fault")] : []),
  ].join(", ");
}

function bugDescription(result: SeededBugEntry): Markup {
  const { name, origin, equivalent, reason, counterexample } = result;
  return html`<h3>${name}</h3>
<p>${origin}</p>
${equivalent === null ? undefined : html`<p><strong>Equivalent:</strong> ${equivalent}</p>\n`}${reason === null ? undefined : html`<p class="note">${reason}</p>\n`}${
  counterexample === null
    ? undefined
    : html`<p>${counterexample.violations[0]?.message}</p>
<code class="command">${counterexample.replay}</code>
`
}`;
}

function checkersTable(record: SeededBugRecord): Markup {
  const checkers = reportedCheckers(record);
  const columns = [
    { title: "Seeded bug" },
    ...checkers.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = record.results.map((result) => {
    const [name = "", ...cells] = checkerRow(result, checkers);
    return [html`<code>${name}</code>`, ...cells];
  });
  const only = bugsByOnlyChecker(record).map(
    ({ checker, bugs }) => `${checker}: ${bugs.join(", ") || "none"}`,
  );
  return html`<h3>Each checker alone</h3>
${table("Executions until each checker alone found a violation; empty if it found none", columns, rows)}
<p>Bugs that only one checker finds:</p>
${list(only)}
`;
}

function baselineTable({ baseline }: SeededBugRecord): Markup | undefined {
  if (baseline.length === 0) return undefined;
  const columns = [
    { title: "Gates and faults" },
    { title: "Verdict" },
    { title: "Executions", kind: "number" as const },
    { title: "Time", kind: "number" as const },
  ];
  const rows = baseline.map(({ gates, faults, verdict, executions, elapsedMs, reason }) => [
    [...gates, ...faults].join(", "),
    html`<strong class="${verdict}">${verdict}</strong>${reason === null ? undefined : `: ${reason}`}`,
    formatNumber(executions),
    duration(elapsedMs),
  ]);
  return html`<h3>Baseline: the service without a bug</h3>
${table("A violation here is a false alarm; the budget is the same", columns, rows)}`;
}
