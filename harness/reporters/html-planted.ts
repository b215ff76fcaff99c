import { counted, duration, number } from "./counted.ts";
import { type Content, html, type Markup } from "./html-markup.ts";
import { page } from "./html-page.ts";
import { provenanceNote } from "./html-provenance.ts";
import { type Column, table } from "./html-table.ts";
import type { PlantedEntry, PlantedRecord } from "./planted-record.ts";
import {
  foundOf,
  independentJudges,
  judgedRow,
  judgesOfReport,
  onlyBy,
  plantedSentence,
  replaysOf,
} from "./planted-rows.ts";

/** `mutants.html`: one file that needs nothing else, like `report.html`. */
export function plantedHtml(record: PlantedRecord): string {
  return page({
    title: `Planted bugs · ${record.model}`,
    header: html`<p class="eyebrow">Heddle: planted bugs</p>
<h1>${record.model}</h1>
`,
    main: plantedSection(record),
    footer: "Machines read the same in mutants.json.",
  });
}

/**
 * What became of each planted bug, for this page and for that of a campaign.
 *
 * @param hashes of the sources that the page is about; those of the record, unless it is about others
 */
export function plantedSection(record: PlantedRecord, hashes = record.hashes): Markup {
  const { budget, seed, untried, results } = record;
  const worstFirst = results.toSorted((a, b) => Number(isGood(a)) - Number(isGood(b)));
  // A part of them is no pass.
  const verdict = record.verdict === "pass" && untried.length > 0 ? "unknown" : record.verdict;
  const how = `Seed ${seed}; at most ${number(budget.runs)} executions of each`;
  return html`<section id="planted">
<h2>Planted bugs</h2>
<p>That nothing was found is worth something only if something could have been. So defects were planted on purpose, one at a time, each with the judge that has to catch it.</p>
<div class="verdict ${verdict}"><p>${plantedSentence(record)}.${untried.length === 0 ? "" : ` Not tried: ${untried.join(", ")}.`}</p></div>
${provenanceNote(record, how, hashes)}${table("Each planted bug, who caught it and after how long, and the size of what was found", COLUMNS, worstFirst.map(rowOf))}
<details>
<summary>What they are</summary>
${results.map(story)}</details>
${record.allJudges ? judgesTable(record) : undefined}${shippedTable(record)}</section>
`;
}

/** Narrower than in the terminal, so that it fits on paper. */
const COLUMNS: readonly Column[] = [
  { title: "Planted bug" },
  { title: "Outcome" },
  { title: "Executions", kind: "number" },
  { title: "Time", kind: "number" },
  { title: "What was found" },
  { title: "Replays", kind: "number" },
];

function rowOf(result: PlantedEntry): readonly Content[] {
  const { name, outcome, counterexample } = result;
  const { judge, executions, elapsedMs } = foundOf(result);
  const good = isGood(result) ? "pass" : outcome === "unknown" ? "unknown" : "fail";
  const words = outcome === "untold" ? "left alone" : outcome;
  return [
    html`<code>${name}</code>`,
    html`<strong class="${good}">${words}</strong><br><span class="note">${outcome === "untold" ? "equivalent" : judge}</span>`,
    number(executions),
    duration(elapsedMs),
    counterexample === null ? "" : sizeOf(counterexample),
    replaysOf(result),
  ];
}

const isGood = ({ outcome }: PlantedEntry): boolean => outcome === "caught" || outcome === "untold";

function sizeOf({
  commands,
  clients,
  preemptions,
  faults,
}: NonNullable<PlantedEntry["counterexample"]>): string {
  return [
    `${counted(commands, "command")} of ${counted(clients, "client")}`,
    counted(preemptions, "preemption"),
    ...(faults > 0 ? [counted(faults, "fault")] : []),
  ].join(", ");
}

function judgesTable(record: PlantedRecord): Markup {
  const judges = judgesOfReport(record);
  const columns = [
    { title: "Planted bug" },
    ...judges.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = record.results.map((result) => {
    const [name = "", ...cells] = judgedRow(result, judges);
    return [html`<code>${name}</code>`, ...cells];
  });
  const alone = independentJudges(record).map((judge) => {
    const names = onlyBy(record, judge);
    return html`<li>${judge}: ${names.length === 0 ? "none" : names.join(", ")}</li>\n`;
  });
  return html`<h3>Who finds what alone</h3>
${table("Executions until each judge found something, if it judged alone; empty where it never did", columns, rows)}
<p>Found by one judge and no other:</p>
<ul>${alone}</ul>
`;
}

function shippedTable({ unmutated }: PlantedRecord): Markup | undefined {
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
  return html`<h3>The service as shipped</h3>
${table("Nothing may be found in it, within the same budget", columns, rows)}`;
}

function story({ name, story, equivalent, reason, counterexample }: PlantedEntry): Markup {
  return html`<h3>${name}</h3>
<p>${story}</p>
${equivalent === null ? undefined : html`<p><strong>Nothing can tell it:</strong> ${equivalent}</p>\n`}${reason === null ? undefined : html`<p class="note">${reason}</p>\n`}${
  counterexample === null
    ? undefined
    : html`<p>${counterexample.violations[0]?.message}</p>
<code class="command">${counterexample.replay}</code>
`
}`;
}
