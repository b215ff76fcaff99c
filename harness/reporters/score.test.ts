import { expect, test } from "vitest";
import type { MutantResult, MutationScore } from "../core/mutation.ts";
import { scoreHtml } from "./html-score.ts";
import { scoreText } from "./score-text.ts";

const mutant = {
  id: "strip-lock take: for update",
  kind: "strip-lock",
  object: "take",
  routine: "take(integer)",
  line: 3,
  statement: "perform from seats <s> for update;",
  before: "for update",
  after: "",
  ddl: "create",
} as const;

const result = (changes: Partial<MutantResult>): MutantResult => ({
  ...{ mutant, outcome: "survived", by: null, preemptions: null, reason: null, verdict: null },
  ...{ executions: 10, elapsedMs: 100, ...changes },
});

const by = (judge: string) => ({ judge, name: "rule", message: "broken" });
const caught = (judge: string) => result({ outcome: "caught", by: by(judge), preemptions: 1 });

const score: MutationScore = {
  model: "seats",
  seed: 7,
  score: 0.8,
  results: [
    caught("contract"),
    caught("invariant"),
    caught("invariant"),
    result({ verdict: "equivalent", reason: "the index is enough" }),
    result({ verdict: "tested", reason: "a.test.ts" }),
    result({ mutant: { ...mutant, id: "drop-index x", object: "x", line: null } }),
    result({ outcome: "unknown", reason: "a step took too long" }),
  ],
  stillborn: [{ mutant: { ...mutant, id: "drop-constraint p" }, reason: "others depend on it" }],
  unmutated: [{ object: "f", reason: "it is written in c" }],
  misjudged: [{ id: "drop-index y", verdict: "gap", reason: "unused" }],
  executions: 60,
  elapsedMs: 900,
};

test("the text has the score, and each mutant that was not caught", () => {
  expect(scoreText(score, { colour: false })).toBe(`\
derived mutants: seats
80.0 % of 7 mutants of the schema: 3 caught, 1 equivalent, 1 caught by tests alone, 1 survived, 1
unknown.
Caught first by: invariant 2, contract 1.
60 executions in 0.9 s, seed 7.

survived (1)
drop-index x
  x
  for update → (nothing)
  nobody has looked at it yet

unknown (1)
strip-lock take: for update
  take, line 3: perform from seats <s> for update;
  for update → (nothing)
  a step took too long

caught by tests alone (1)
strip-lock take: for update
  take, line 3: perform from seats <s> for update;
  for update → (nothing)
  a.test.ts

equivalent (1)
strip-lock take: for update
  take, line 3: perform from seats <s> for update;
  for update → (nothing)
  the index is enough

stillborn (1)
- drop-constraint p: others depend on it

not mutated (1)
- f: it is written in c

said to survive, but caught or not there (1)
- drop-index y: unused
`);
});

test("the page says the same, and fails where something survived", () => {
  const html = scoreHtml(score);
  expect(html).toContain('class="verdict fail"');
  for (const text of ["Survived (1)", "Unknown (1)", "Equivalent (1)", "the index is enough"]) {
    expect(html).toContain(text);
  }
  expect(html).toContain("perform from seats &#60;s&#62; for update;");
  const rest = { stillborn: [], unmutated: [], misjudged: [] };
  const good = scoreHtml({ ...score, ...rest, results: score.results.slice(0, 5) });
  expect(good).toContain('class="verdict pass"');
  expect(good).not.toContain("Survived (");
});
