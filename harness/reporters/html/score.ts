import type { MutantResult, MutationScore } from "../../mutation/mutation-score.ts";
import { counted, duration, number } from "../counted.ts";
import { checkersOf, groupsOf, scoreSentence } from "../score-text.ts";
import { html, type Markup } from "./markup.ts";
import { page } from "./page.ts";
import { provenanceNote } from "./provenance.ts";
import { table } from "./table.ts";

/** `derived-mutants.html`: how many changes of a schema the checks notice, and which they do not. */
export function scoreHtml(score: MutationScore): string {
  return page({
    title: `Derived mutants · ${score.service}`,
    header: html`<p class="eyebrow">Heddle: derived mutants</p>
<h1>${score.service}</h1>
`,
    main: scoreSection(score),
    footer: "Machines read the same in derived-mutants.json.",
  });
}

/**
 * The score, for this page and for that of a campaign.
 *
 * @param hashes of the sources that the page is about; those of the score, unless it is about others
 */
export function scoreSection(score: MutationScore, hashes = score.hashes): Markup {
  const groups = groupsOf(score);
  const { executions, elapsedMs, seed, invalid, unmutated, misclassified, untried } = score;
  const good = groups.survived.length + groups.unknown.length + misclassified.length === 0;
  // A part of them is no score.
  const verdict = good ? (untried === 0 ? "pass" : "unknown") : "fail";
  const how = `${counted(executions, "execution")} in ${duration(elapsedMs)}; seed ${seed}`;
  return html`<section id="derived">
<h2>Derived mutants</h2>
<p>Each mutant is the schema with one change: a constraint, an index or a trigger dropped, a lock stripped, a statement deleted, a condition negated, or an isolation level weakened. A check that notices none of them checks nothing.</p>
<div class="verdict ${verdict}"><p>${scoreSentence(score)}${untried === 0 ? "" : ` ${counted(untried, "other mutant")} not tried.`}</p></div>
${provenanceNote(score, how, hashes)}${table(
  "Mutants by the checker that was the first to notice",
  [{ title: "Checker" }, { title: "Mutants", kind: "number" }],
  checkersOf(groups).map(([checker, count]) => [checker, number(count)]),
)}
${changes("Survived", groups.survived, OPEN)}${changes("Unknown", groups.unknown, OPEN)}${changes("Caught by tests alone", groups.tested)}${changes("Equivalent", groups.equivalent)}${notes(
  "Invalid: the server refuses them",
  invalid.map(({ mutant, reason }) => [mutant.id, reason]),
)}${notes(
  "Not mutated",
  unmutated.map(({ object, reason }) => [object, reason]),
)}${notes(
  "Said to survive, but caught or not there",
  misclassified.map(({ id, reason }) => [id, reason]),
)}</section>
`;
}

const OPEN: Markup = { markup: " open" };

function changes(
  title: string,
  results: readonly MutantResult[],
  open?: Markup,
): Markup | undefined {
  if (results.length === 0) return undefined;
  const code = (text: string) => html`<code>${text}</code>`;
  return html`<details${open}>
<summary>${title} (${results.length})</summary>
${table(
  "What was changed",
  [{ title: "Where" }, { title: "Statement" }, { title: "Change" }, { title: "Why" }],
  results.map(({ mutant: { object, line, statement, before, after }, reason }) => [
    line === null ? object : `${object}, line ${line}`,
    code(statement),
    html`${code(before)} → ${after === "" ? "nothing" : code(after)}`,
    reason ?? "nobody has looked at it yet",
  ]),
)}</details>
`;
}

function notes(
  title: string,
  rows: readonly (readonly [what: string, reason: string])[],
): Markup | undefined {
  if (rows.length === 0) return undefined;
  return html`<details>
<summary>${title} (${rows.length})</summary>
${table(title, [{ title: "What" }, { title: "Why" }], rows)}</details>
`;
}
