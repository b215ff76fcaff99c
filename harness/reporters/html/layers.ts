import { breaches, conclusions, type LayersOfDefence } from "../../mutation/layers.ts";
import { counted, duration, number } from "../counted.ts";
import type { LayerEntry, LayersRecord, PromiseEntry } from "../layers-record.ts";
import { brokenBy } from "../layers-text.ts";
import { replayCommand } from "../replay-command.ts";
import { counterexampleArticle } from "./counterexample.ts";
import { type Content, html, type Markup } from "./markup.ts";
import { page } from "./page.ts";
import { provenanceNote } from "./provenance.ts";
import { table } from "./table.ts";

const MARKS = {
  holds: html`<strong class="pass">holds</strong>`,
  breaks: html`<strong class="fail">breaks</strong>`,
  unknown: html`<strong class="unknown">unknown</strong>`,
} as const;

/**
 * `layers.html`: which protections keep each promise, and what happens without them, for a reader
 * who knows neither the schema nor Heddle.
 *
 * @param folder where the page is written to; the replay operations name it
 */
export function layersHtml(
  record: LayersRecord,
  layers: Pick<LayersOfDefence, "promises">,
  folder: string,
): string {
  return page({
    title: `Layers of defence · ${record.service}`,
    header: html`<p class="eyebrow">Heddle: layers of defence</p>
<h1>${record.service}</h1>
`,
    main: html`${layersSection(record)}${breachesSection(layers, folder)}`,
    footer:
      "A preemption leaves a client that could have gone on. What was not executed (other operations, more clients, more preemptions) was not looked at. Machines read the same in layers.json.",
  });
}

/**
 * Which protections keep each promise, for this page and for that of a campaign.
 *
 * @param hashes of the sources that the page is about; those of the record, unless it is about others
 */
export function layersSection(record: LayersRecord, hashes = record.hashes): Markup {
  const { promises, executions, elapsedMs, preemptions, control } = record;
  const bound =
    preemptions === null
      ? "every interleaving"
      : `every interleaving with at most ${counted(preemptions, "preemption")}`;
  const how = `Gates: ${control.gates.join(", ")}; ${control.isolation}`;
  return html`<section id="layers">
<h2>Layers of defence</h2>
<p>Each promise that the service makes is kept by protections in its database. Here each of them was taken away, alone and together with others; then ${bound} of the pairs of operations that could break the promise was executed on a real PostgreSQL: ${counted(executions, "execution")} in ${duration(elapsedMs)}. A promise <em>holds</em> if it held in all of these; where it <em>breaks</em>, the first violation ended the search.</p>
${provenanceNote(record, how, hashes)}${promises.map(promiseOf)}</section>
`;
}

function promiseOf(promise: PromiseEntry): Markup {
  const { name, statement, protections, cases, pairs, rules } = promise;
  const fine = cases.find(({ without }) => without.length === 0)?.outcome;
  const verdict = { holds: "pass", breaks: "fail", unknown: "unknown" }[fine ?? "unknown"];
  return html`<h3>${capital(name)}</h3>
<p>${statement}</p>
<div class="verdict ${verdict}">
${conclusions(promise).map((sentence) => html`<p>${sentence}</p>\n`)}</div>
<dl class="facts">
${protections.map((it) => html`<dt>${it.name}</dt><dd>${it.description}</dd>\n`)}</dl>
${matrix(promise)}${furtherCases(promise)}<p class="note">Broken means: ${rules.map((rule) => rule.name).join(", ")}. Looked at: ${pairs.join("; ")}.</p>
${breaches(promise).map(
  ({ without, file }) =>
    file &&
    html`<p class="note">See it break without ${inWords(without)}:</p>
<code class="operation">${replayCommand(file)}</code>
`,
)}`;
}

/** The smallest ways to break each promise, step by step. */
function breachesSection(
  { promises }: Pick<LayersOfDefence, "promises">,
  folder: string,
): Markup | undefined {
  const broken = promises.flatMap((promise) =>
    breaches(promise).flatMap(({ without, counterexample }) =>
      counterexample === null ? [] : [{ promise, without, counterexample }],
    ),
  );
  if (broken.length === 0) return undefined;
  return html`<section id="breaches">
<h2>How they break</h2>
${broken.map(
  ({ promise, without, counterexample }, at) => html`<details${at === 0 ? OPEN : undefined}>
<summary>${capital(promise.name)}: how it breaks without ${inWords(without)}</summary>
${counterexampleArticle(counterexample, at, folder)}</details>
`,
)}</section>
`;
}

const OPEN: Markup = { markup: " open" };

function inWords(without: readonly string[]): string {
  return without.length === 0 ? "any change" : without.join(" and ");
}

function capital(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Row and column name what is taken away; where they are the same, that alone. */
function matrix({ protections, cases }: PromiseEntry): Markup {
  const names = protections.map(({ name }) => name);
  const cell = (row: string, column: string): Content => {
    const found = caseWithout(cases, row === column ? [row] : [row, column]);
    return found === undefined ? "" : MARKS[found.outcome];
  };
  return table(
    "Without the one in the row and the one in the column; on the diagonal, without that one alone",
    [{ title: "Without" }, ...names.map((title) => ({ title }))],
    names.map((row) => [row, ...names.map((column) => cell(row, column))]),
  );
}

/** What the matrix has no place for, and why something is unknown. */
function furtherCases({ cases, protections }: PromiseEntry): Markup {
  const further = cases.filter(
    ({ without, outcome }) => without.length === 0 || without.length > 2 || outcome === "unknown",
  );
  return table(
    "Further cases",
    [
      { title: "Taken away" },
      { title: "The promise" },
      { title: "What was seen" },
      { title: "Executions", kind: "number" },
    ],
    further.map((it) => [
      takenAway(it, protections.length),
      MARKS[it.outcome],
      it.reason ?? brokenBy(it) ?? "",
      number(it.executions),
    ]),
  );
}

function takenAway({ without }: LayerEntry, of: number): string {
  if (without.length === 0) return "nothing";
  return without.length === of ? "all of them" : without.join(", ");
}

function caseWithout(
  cases: readonly LayerEntry[],
  names: readonly string[],
): LayerEntry | undefined {
  return cases.find(
    ({ without }) =>
      without.length === names.length && names.every((name) => without.includes(name)),
  );
}
