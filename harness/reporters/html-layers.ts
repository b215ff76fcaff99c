import {
  breaches,
  conclusions,
  type LayerCase,
  type LayersOfDefence,
  type PromiseLayers,
} from "../core/layers.ts";
import { counted, duration, number } from "./counted.ts";
import { counterexampleArticle } from "./html-counterexample.ts";
import { type Content, html, type Markup } from "./html-markup.ts";
import { page } from "./html-page.ts";
import { table } from "./html-table.ts";
import { brokenBy } from "./layers-text.ts";

const MARKS = {
  holds: html`<strong class="pass">holds</strong>`,
  breaks: html`<strong class="fail">breaks</strong>`,
  unknown: html`<strong class="unknown">unknown</strong>`,
} as const;

/**
 * `layers.html`: which protections keep each promise, and what happens without them, for a reader
 * who knows neither the schema nor Heddle.
 *
 * @param folder where the page is written to; the replay commands name it
 */
export function layersHtml(layers: LayersOfDefence, folder: string): string {
  const { model, promises, executions, elapsedMs, preemptions } = layers;
  const bound =
    preemptions === Number.POSITIVE_INFINITY
      ? "every interleaving"
      : `every interleaving with at most ${counted(preemptions, "preemption")}`;
  return page({
    title: `Layers of defence · ${model}`,
    header: html`<p class="eyebrow">Heddle: layers of defence</p>
<h1>${model}</h1>
<p>Each promise that the service makes is kept by protections in its database. Here each of them was taken away, alone and together with others; then ${bound} of the pairs of commands that could break the promise was executed on a real PostgreSQL: ${counted(executions, "execution")} in ${duration(elapsedMs)}. A promise <em>holds</em> if it held in all of these.</p>
<nav aria-label="Contents"><ul>
${promises.map(({ name }, at) => html`<li><a href="#promise-${at + 1}">${name}</a></li>\n`)}</ul></nav>
`,
    main: promises.map((promise, at) => {
      const before = promises.slice(0, at).flatMap(breaches).length;
      return promiseSection(promise, at, before, folder);
    }),
    footer:
      "A preemption leaves a client that could have gone on. What was not executed (other commands, more clients, more preemptions) was not looked at.",
  });
}

/** `before`: how many counterexamples the sections before it show. */
function promiseSection(
  promise: PromiseLayers,
  at: number,
  before: number,
  folder: string,
): Markup {
  const { name, statement, protections, cases, pairs, rules } = promise;
  const broken = breaches(promise).flatMap(({ without, counterexample }) =>
    counterexample === null ? [] : [{ without, counterexample }],
  );
  const kept = broken.length > 0 && cases[0]?.outcome !== "breaks";
  return html`<section id="promise-${at + 1}">
<h2>${name}</h2>
<p>${statement}</p>
<div class="verdict ${kept || broken.length === 0 ? "pass" : "fail"}">
${conclusions(promise).map((sentence) => html`<p>${sentence}</p>\n`)}</div>
<dl class="facts">
${protections.map((it) => html`<dt>${it.name}</dt><dd>${it.description}</dd>\n`)}</dl>
${matrix(promise)}${furtherCases(promise)}<p class="note">Broken means: ${rules.map((rule) => rule.name).join(", ")}. Looked at: ${pairs.join("; ")}.</p>
${broken.map(
  (
    { without, counterexample },
    index,
  ) => html`<details${at === 0 && index === 0 ? OPEN : undefined}>
<summary>How it breaks without ${without.length === 0 ? "any change" : without.join(" and ")}</summary>
${counterexampleArticle(counterexample, before + index, folder)}</details>
`,
)}</section>
`;
}

const OPEN: Markup = { markup: " open" };

/** Row and column name what is taken away; where they are the same, that alone. */
function matrix({ protections, cases }: PromiseLayers): Markup {
  const names = protections.map(({ name }) => name);
  const cell = (row: string, column: string): Content => {
    const found = caseWithout(cases, row === column ? [row] : [row, column]);
    return found === undefined ? "" : MARKS[found.outcome];
  };
  return table(
    "Without the one in the row and the one in the column; on the diagonal, without that one alone",
    [{ title: "" }, ...names.map((title) => ({ title }))],
    names.map((row) => [row, ...names.map((column) => cell(row, column))]),
  );
}

/** What the matrix has no place for, and why something is unknown. */
function furtherCases({ cases, protections }: PromiseLayers): Markup {
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

function takenAway({ without }: LayerCase, of: number): string {
  if (without.length === 0) return "nothing";
  return without.length === of ? "all of them" : without.join(", ");
}

function caseWithout(cases: readonly LayerCase[], names: readonly string[]): LayerCase | undefined {
  return cases.find(
    ({ without }) =>
      without.length === names.length && names.every((name) => without.includes(name)),
  );
}
