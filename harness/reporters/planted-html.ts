import type { PlantedReport, PlantedResult } from "../core/planted.ts";
import { duration, number } from "./counted.ts";
import { type Content, html, type Markup } from "./html-markup.ts";
import { page } from "./html-page.ts";
import { table } from "./html-table.ts";
import {
  judgedRow,
  judgesOfReport,
  onlyBy,
  PLANTED_COLUMNS,
  plantedRow,
  plantedSentence,
} from "./planted-rows.ts";
import { replayCommand, replayFilePath } from "./replay-command.ts";

/** `mutants.html`: one file that needs nothing else, like `report.html`. */
export function plantedHtml(report: PlantedReport, folder: string): string {
  const title = `Planted bugs of the model ${report.model}`;
  const { environment: e, seed, budget } = report;
  return page({
    title,
    header: html`<p class="eyebrow">Heddle mutation report</p>
<h1>${title}</h1>
<div class="verdict ${report.verdict}"><strong>${report.verdict}</strong>
<p>${plantedSentence(report)}.</p></div>
`,
    main: html`<section id="mutants">
<h2>What became of each</h2>
${table("Each planted bug, who caught it, and the size of what was found", PLANTED_COLUMNS, report.results.map(rowOf))}</section>
${report.allJudges ? judgesSection(report) : undefined}${shippedSection(report)}<section id="stories">
<h2>What they are</h2>
${report.results.map((result) => story(result, folder))}</section>
`,
    footer: `Seed ${seed}; at most ${number(budget.runs)} executions each; PostgreSQL ${e.postgres.version} (${e.postgres.provider}), Heddle ${e.heddle}, ${e.cpus} CPUs. Executions and time are counted until the judge that must find a bug found it. Machines read the same in mutants.json.`,
  });
}

function rowOf(result: PlantedResult): readonly Content[] {
  const [name = "", outcome = "", ...rest] = plantedRow(result);
  const good = outcome === "caught" || outcome === "untold";
  return [
    html`<a href="#${name}"><code>${name}</code></a>`,
    html`<strong class="${good ? "pass" : outcome === "unknown" ? "unknown" : "fail"}">${outcome}</strong>`,
    ...rest,
  ];
}

function judgesSection(report: PlantedReport): Markup {
  const judges = judgesOfReport(report);
  const columns = [
    { title: "Planted bug" },
    ...judges.map((title) => ({ title, kind: "number" as const })),
  ];
  const rows = report.results.map((result) => {
    const [name = "", ...cells] = judgedRow(result, judges);
    return [html`<code>${name}</code>`, ...cells];
  });
  const alone = judges.map((judge) => {
    const names = onlyBy(report, judge);
    return html`<li>${judge}: ${names.length === 0 ? "none" : names.join(", ")}</li>\n`;
  });
  return html`<section id="judges">
<h2>Who finds what alone</h2>
${table("Executions until each judge found something, if it judged alone; empty where it never did", columns, rows)}
<p>Found by one judge and no other:</p>
<ul>${alone}</ul></section>
`;
}

function shippedSection({ unmutated }: PlantedReport): Markup {
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
  return html`<section id="shipped">
<h2>The service as shipped</h2>
${table("Nothing may be found in it, within the same budget", columns, rows)}</section>
`;
}

function story(result: PlantedResult, folder: string): Markup {
  const { name, story, equivalent, reason, counterexample } = result;
  return html`<article id="${name}">
<h3>${name}</h3>
<p>${story}</p>
${equivalent === null ? undefined : html`<p><strong>Equivalent:</strong> ${equivalent}</p>\n`}${reason === null ? undefined : html`<p class="note">${reason}</p>\n`}${
  counterexample === null
    ? undefined
    : html`<p>${counterexample.violations[0]?.message}</p>
<p><code>${replayCommand(replayFilePath(folder, counterexample))}</code></p>
`
}</article>
`;
}
