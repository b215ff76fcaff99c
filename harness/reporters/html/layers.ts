import { breaches, conclusions, type LayersOfDefence } from "../../mutation/layers.ts";
import { capitalized, duration, formatNumber, quantity } from "../format-values.ts";
import {
  type LayerEntry,
  type LayersRecord,
  type PromiseEntry,
  violationSummary,
} from "../layers.ts";
import { replayCommand } from "../replay-command.ts";
import { counterexampleArticle } from "./counterexample.ts";
import { type Content, detailsOf, factList, html, type Markup, table } from "./markup.ts";
import { page, provenanceNote } from "./page.ts";

const OUTCOMES = {
  holds: html`<strong class="pass">holds</strong>`,
  breaks: html`<strong class="fail">breaks</strong>`,
  unknown: html`<strong class="unknown">unknown</strong>`,
} as const;

/**
 * `layers.html`: the protections of each promise, and what happens without them. The page assumes no
 * knowledge of the schema or of Heddle.
 *
 * @param folder where the page is written; the replay commands name it
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
      "A preemption is a step of one client while the client of the step before could have continued. The result covers what was executed: not other operations, more clients, or more preemptions. For machines, the same is in layers.json.",
  });
}

/**
 * The section about layers, for this page and for the page of a campaign.
 *
 * @param hashes of the sources of the page; by default those of the record
 */
export function layersSection(record: LayersRecord, hashes = record.hashes): Markup {
  const { promises, executions, elapsedMs, preemptions, control } = record;
  const bound =
    preemptions === null
      ? "every interleaving"
      : `every interleaving with at most ${quantity(preemptions, "preemption")}`;
  const how = `Gates: ${control.gates.join(", ")}; ${control.isolation}`;
  return html`<section id="layers">
<h2>Layers of defence</h2>
<p>Protections in the database keep each promise of the service. Heddle removed each protection, alone and together with others, and then executed ${bound} of the pairs of operations that could break the promise on a real PostgreSQL: ${quantity(executions, "execution")} in ${duration(elapsedMs)}. A promise <em>holds</em> if no execution violated it. A promise <em>breaks</em> if one did; the first violation ended the search.</p>
${provenanceNote(record, how, hashes)}${promises.map(promiseBlock)}</section>
`;
}

function promiseBlock(promise: PromiseEntry): Markup {
  const { name, statement, protections, cases, pairs, rules } = promise;
  const intact = cases.find(({ without }) => without.length === 0)?.outcome ?? "unknown";
  const verdict = { holds: "pass", breaks: "fail", unknown: "unknown" }[intact];
  return html`<h3>${capitalized(name)}</h3>
<p>${statement}</p>
<div class="verdict ${verdict}">
${conclusions(promise).map((sentence) => html`<p>${sentence}</p>\n`)}</div>
${factList(protections.map((it) => [it.name, it.description]))}${outcomeMatrix(promise)}${furtherCases(promise)}<p class="note">The promise breaks if an execution violates one of the rules ${rules.map((rule) => rule.name).join(", ")}. Pairs of operations: ${pairs.join("; ")}.</p>
${breaches(promise).map(
  ({ without, file }) =>
    file &&
    html`<p class="note">To see how it breaks without ${namesInWords(without)}:</p>
<code class="command">${replayCommand(file)}</code>
`,
)}`;
}

/** The counterexamples of the smallest sets of protections without which a promise breaks. */
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
<h2>How the promises break</h2>
${broken.map(({ promise, without, counterexample }, at) =>
  detailsOf(
    `${capitalized(promise.name)}: how it breaks without ${namesInWords(without)}`,
    counterexampleArticle(counterexample, at, folder),
    { open: at === 0 },
  ),
)}</section>
`;
}

function namesInWords(without: readonly string[]): string {
  return without.length === 0 ? "any change" : without.join(" and ");
}

/** The outcomes without each protection and each two of them. */
function outcomeMatrix({ protections, cases }: PromiseEntry): Markup {
  const names = protections.map(({ name }) => name);
  const cell = (row: string, column: string): Content => {
    const without = row === column ? [row] : [row, column];
    const match = cases.find(
      (it) =>
        it.without.length === without.length && without.every((name) => it.without.includes(name)),
    );
    return match === undefined ? "" : OUTCOMES[match.outcome];
  };
  return table(
    "Without the protections of the row and of the column; on the diagonal, without one protection",
    [{ title: "Without" }, ...names.map((title) => ({ title }))],
    names.map((row) => [row, ...names.map((column) => cell(row, column))]),
  );
}

/** The cases that the matrix has no cell for, and those with an unknown outcome. */
function furtherCases({ cases, protections }: PromiseEntry): Markup {
  const further = cases.filter(
    ({ without, outcome }) => without.length === 0 || without.length > 2 || outcome === "unknown",
  );
  return table(
    "Further cases",
    [
      { title: "Removed" },
      { title: "The promise" },
      { title: "Reason" },
      { title: "Executions", kind: "number" },
    ],
    further.map((it) => [
      removedCell(it, protections.length),
      OUTCOMES[it.outcome],
      it.reason ?? violationSummary(it) ?? "",
      formatNumber(it.executions),
    ]),
  );
}

function removedCell({ without }: LayerEntry, protections: number): string {
  if (without.length === 0) return "nothing";
  return without.length === protections ? "all protections" : without.join(", ");
}
