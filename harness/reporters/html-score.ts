import type { MutantResult, MutationScore } from "../core/mutation.ts";
import { counted, duration, number } from "./counted.ts";
import { html, type Markup } from "./html-markup.ts";
import { page } from "./html-page.ts";
import { table } from "./html-table.ts";
import { groupsOf, judgesOf, scoreSentence } from "./score-text.ts";

/** `derived-mutants.html`: how many changes of a schema the checks notice, and which they do not. */
export function scoreHtml(score: MutationScore): string {
  const groups = groupsOf(score);
  const { model, executions, elapsedMs, seed, stillborn, unmutated, misjudged } = score;
  const good = groups.survived.length + groups.unknown.length + misjudged.length === 0;
  return page({
    title: `Derived mutants · ${model}`,
    header: html`<p class="eyebrow">Heddle: derived mutants</p>
<h1>${model}</h1>
<div class="verdict ${good ? "pass" : "fail"}"><strong>${scoreSentence(score)}</strong>
<p>Each mutant is the schema with one change: a constraint, an index or a trigger dropped, a lock stripped, a statement deleted, a condition negated, or an isolation level weakened. ${counted(executions, "execution")} in ${duration(elapsedMs)}, seed ${seed}.</p></div>
`,
    main: html`<section><h2>Who catches them</h2>
${table(
  "Mutants by the judge that was the first to notice",
  [{ title: "Judge" }, { title: "Mutants", kind: "number" }],
  judgesOf(groups).map(([judge, count]) => [judge, number(count)]),
)}</section>
${section("Survived", groups.survived)}${section("Unknown", groups.unknown)}${section("Caught by tests alone", groups.tested)}${section("Equivalent", groups.equivalent)}${notes(
  "Stillborn: the server refuses them",
  stillborn.map(({ mutant, reason }) => [mutant.id, reason]),
)}${notes(
  "Not mutated",
  unmutated.map(({ object, reason }) => [object, reason]),
)}${notes(
  "Said to survive, but caught or not there",
  misjudged.map(({ id, reason }) => [id, reason]),
)}`,
    footer: "Machines read the same in derived-mutants.json.",
  });
}

function section(title: string, results: readonly MutantResult[]): Markup | undefined {
  if (results.length === 0) return undefined;
  const code = (text: string) => html`<code>${text}</code>`;
  return html`<section><h2>${title} (${results.length})</h2>
${table(
  "What was changed",
  [{ title: "Where" }, { title: "Statement" }, { title: "Change" }, { title: "Why" }],
  results.map(({ mutant: { object, line, statement, before, after }, reason }) => [
    line === null ? object : `${object}, line ${line}`,
    code(statement),
    html`${code(before)} → ${after === "" ? "nothing" : code(after)}`,
    reason ?? "nobody has looked at it yet",
  ]),
)}</section>
`;
}

function notes(
  title: string,
  rows: readonly (readonly [what: string, reason: string])[],
): Markup | undefined {
  if (rows.length === 0) return undefined;
  return html`<section><h2>${title}</h2>
${table(title, [{ title: "What" }, { title: "Why" }], rows)}</section>
`;
}
