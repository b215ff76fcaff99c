import type { MutantResult, MutationScore } from "../../mutation/mutation-score.ts";
import {
  countByChecker,
  groupByOutcome,
  reasonOrReview,
  scoreSentence,
} from "../derived-mutants.ts";
import { duration, formatNumber, quantity } from "../format-values.ts";
import { detailsOf, html, type Markup, table } from "./markup.ts";
import { page, provenanceNote } from "./page.ts";

/** `derived-mutants.html`: the mutation score of a schema. */
export function scoreHtml(score: MutationScore): string {
  return page({
    title: `Derived mutants · ${score.service}`,
    header: html`<p class="eyebrow">Heddle: derived mutants</p>
<h1>${score.service}</h1>
`,
    main: scoreSection(score),
    footer: "For machines, the same is in derived-mutants.json.",
  });
}

/**
 * The section about the score, for this page and for the page of a campaign.
 *
 * @param hashes of the sources of the page; by default those of the score
 */
export function scoreSection(score: MutationScore, hashes = score.hashes): Markup {
  const groups = groupByOutcome(score);
  const { executions, elapsedMs, seed, invalid, unmutated, misclassified, untried } = score;
  const good = groups.survived.length + groups.unknown.length + misclassified.length === 0;
  // The score of some of the mutants is not the score of the schema.
  const verdict = good ? (untried === 0 ? "pass" : "unknown") : "fail";
  const how = `${quantity(executions, "execution")} in ${duration(elapsedMs)}; seed ${seed}`;
  return html`<section id="derived">
<h2>Derived mutants</h2>
<p>Each mutant is the schema with one change: a constraint, an index or a trigger dropped, a lock removed, a statement deleted, a condition negated, or an isolation level weakened. A checker that notices none of the mutants checks nothing.</p>
<div class="verdict ${verdict}"><p>${scoreSentence(score)}${untried === 0 ? "" : ` ${quantity(untried, "other mutant")} not tried.`}</p></div>
${provenanceNote(score, how, hashes)}${table(
  "Mutants by the first checker that caught them",
  [{ title: "Checker" }, { title: "Mutants", kind: "number" }],
  countByChecker(groups).map(([checker, count]) => [checker, formatNumber(count)]),
)}
${mutantTable("Survived", groups.survived, { open: true })}${mutantTable("Unknown", groups.unknown, { open: true })}${mutantTable("Caught by tests only", groups.tested)}${mutantTable("Equivalent", groups.equivalent)}${noteTable(
  "Invalid: the server refuses them",
  invalid.map(({ mutant, reason }) => [mutant.id, reason]),
)}${noteTable(
  "Not mutated",
  unmutated.map((it) => [it.object, it.reason]),
)}${noteTable(
  "Reviewed as survivors, but caught or no longer derived",
  misclassified.map(({ id, reason }) => [id, reason]),
)}</section>
`;
}

function mutantTable(
  title: string,
  results: readonly MutantResult[],
  options?: { readonly open: boolean },
): Markup | undefined {
  if (results.length === 0) return undefined;
  const code = (text: string) => html`<code>${text}</code>`;
  const rows = results.map((result) => {
    const { object, line, statement, before, after } = result.mutant;
    return [
      line === null ? object : `${object}, line ${line}`,
      code(statement),
      html`${code(before)} → ${after === "" ? "nothing" : code(after)}`,
      reasonOrReview(result),
    ];
  });
  const columns = ["Place", "Statement", "Change", "Reason"].map((name) => ({ title: name }));
  return detailsOf(`${title} (${results.length})`, table("Changes", columns, rows), options);
}

function noteTable(
  title: string,
  rows: readonly (readonly [name: string, reason: string])[],
): Markup | undefined {
  if (rows.length === 0) return undefined;
  return detailsOf(
    `${title} (${rows.length})`,
    table(title, [{ title: "Name" }, { title: "Reason" }], rows),
  );
}
