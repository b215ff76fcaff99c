import { counted, duration, number } from "../counted.ts";
import type { SeededBugEntry, SeededBugRecord } from "../seeded-record.ts";
import {
  checkerRow,
  checkersOfReport,
  foundOf,
  independentCheckers,
  onlyBy,
  replaysOf,
  seededBugsSentence,
} from "../seeded-rows.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { page } from "./page.ts";
import { provenanceNote } from "./provenance.ts";
import { type Column, table } from "./table.ts";

/** `mutants.html`: one file that needs nothing else, like `report.html`. */
export function seededBugsHtml(record: SeededBugRecord): string {
  return page({
    title: `Seeded bugs · ${record.service}`,
    header: html`<p class="eyebrow">Heddle: seeded bugs</p>
<h1>${record.service}</h1>
`,
    main: seededBugsSection(record),
    footer: "Machines read the same in mutants.json.",
  });
}

/**
 * What became of each seeded bug, for this page and for that of a campaign.
 *
 * @param hashes of the sources that the page is about; those of the record, unless it is about others
 */
export function seededBugsSection(record: SeededBugRecord, hashes = record.hashes): Markup {
  const { budget, seed, untried, results } = record;
  const worstFirst = results.toSorted((a, b) => Number(isGood(a)) - Number(isGood(b)));
  // A part of them is no pass.
  const verdict = record.verdict === "pass" && untried.length > 0 ? "unknown" : record.verdict;
  const how = `Seed ${seed}; at most ${number(budget.runs)} executions of each`;
  return html`<section id="seeded">
<h2>Seeded bugs</h2>
<p>That nothing was found is worth something only if something could have been. So defects were seeded on purpose, one at a time, each with the checker that has to catch it.</p>
<div class="verdict ${verdict}"><p>${seededBugsSentence(record)}.${untried.length === 0 ? "" : ` Not tried: ${untried.join(", ")}.`}</p></div>
${provenanceNote(record, how, hashes)}${table("Each seeded bug, who caught it and after how long, and the size of what was found", COLUMNS, worstFirst.map(rowOf))}
<details>
<summary>What they are</summary>
${results.map(story)}</details>
${record.allCheckers ? checkersTable(record) : undefined}${baselineTable(record)}</section>
`;
}

/** Narrower than in the terminal, so that it fits on paper. */
const COLUMNS: readonly Column[] = [
  { title: "Seeded bug" },
  { title: "Outcome" },
  { title: "Executions", kind: "number" },
  { title: "Time", kind: "number" },
  { title: "What was found" },
  { title: "Replays", kind: "number" },
];

function rowOf(result: SeededBugEntry): readonly Content[] {
  const { name, outcome, counterexample } = result;
  const { checker, executions, elapsedMs } = foundOf(result);
  const good = isGood(result) ? "pass" : outcome === "unknown" ? "unknown" : "fail";
  const words = outcome === "untold" ? "left alone" : outcome;
  return [
    html`<code>${name}</code>`,
    html`<strong class="${good}">${words}</strong><br><span class="note">${outcome === "untold" ? "equivalent" : checker}</span>`,
    number(executions),
    duration(elapsedMs),
    counterexample === null ? "" : sizeOf(counterexample),
    replaysOf(result),
  ];
}

const isGood = ({ outcome }: SeededBugEntry): boolean =>
  outcome === "caught" || outcome === "untold";

function sizeOf({
  operations,
  clients,
  preemptions,
  faults,
}: NonNullable<SeededBugEntry["counterexample"]>): string {
  return [
    `${counted(operations, "operation")} of ${counted(clients, "client")}`,
    counted(preemptions, "preemption"),
    ...(faults > 0 ? [counted(faults, "fault")] : []),
  ].join(", ");
}

function checkersTable(record: SeededBugRecord): Markup {
  const checkers = checkersOfReport(record);
  const columns = [
    { title: "Seeded bug" },
    ...checkers.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = record.results.map((result) => {
    const [name = "", ...cells] = checkerRow(result, checkers);
    return [html`<code>${name}</code>`, ...cells];
  });
  const alone = independentCheckers(record).map((checker) => {
    const names = onlyBy(record, checker);
    return html`<li>${checker}: ${names.length === 0 ? "none" : names.join(", ")}</li>\n`;
  });
  return html`<h3>Who finds what alone</h3>
${table("Executions until each checker found something, if it checked alone; empty where it never did", columns, rows)}
<p>Found by one checker and no other:</p>
<ul>${alone}</ul>
`;
}

function baselineTable({ unmutated }: SeededBugRecord): Markup | undefined {
  if (unmutated.length === 0) return undefined;
  const columns = [
    { title: "Gates and faults" },
    { title: "Verdict" },
    { title: "Executions", kind: "number" as const },
    { title: "Time", kind: "number" as const },
  ];
  const rows = unmutated.map(({ gates, faults, verdict, executions, elapsedMs, reason }) => [
    [...gates, ...faults].join(", "),
    html`<strong class="${verdict}">${verdict}</strong>${reason === null ? undefined : `: ${reason}`}`,
    number(executions),
    duration(elapsedMs),
  ]);
  return html`<h3>The service without a bug</h3>
${table("Nothing may be found in it, within the same budget", columns, rows)}`;
}

function story({ name, story, equivalent, reason, counterexample }: SeededBugEntry): Markup {
  return html`<h3>${name}</h3>
<p>${story}</p>
${equivalent === null ? undefined : html`<p><strong>Nothing can tell it:</strong> ${equivalent}</p>\n`}${reason === null ? undefined : html`<p class="note">${reason}</p>\n`}${
  counterexample === null
    ? undefined
    : html`<p>${counterexample.violations[0]?.message}</p>
<code class="operation">${counterexample.replay}</code>
`
}`;
}
