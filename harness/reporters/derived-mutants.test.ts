import { expect, test } from "vitest";
import { scoreText } from "./derived-mutants.ts";
import { scoreHtml } from "./html/derived-mutants.ts";
import { score } from "./sample-records.fixture.ts";

test("the text shows the score, and each mutant that was not caught", () => {
  expect(scoreText(score, { colour: false })).toBe(`\
derived mutants: seats
80.0 % of 7 mutants of the schema: 3 caught, 1 equivalent, 1 caught by tests only, 1 survived, 1
unknown.
First caught by: invariant 2, contract 1.
60 executions in 0.9 s, seed 7.

survived (1)
drop-index x
  x
  for update → (nothing)
  not reviewed yet

unknown (1)
strip-lock take: for update
  take, line 3: perform from seats <s> for update;
  for update → (nothing)
  a step took too long

caught by tests only (1)
strip-lock take: for update
  take, line 3: perform from seats <s> for update;
  for update → (nothing)
  a.test.ts

equivalent (1)
strip-lock take: for update
  take, line 3: perform from seats <s> for update;
  for update → (nothing)
  the index is enough

invalid (1)
- drop-constraint p: others depend on it

not mutated (1)
- f: it is written in c

reviewed as survivors, but caught or no longer derived (1)
- drop-index y: unused
`);
});

test("the page shows the same, and fails if a mutant survived", () => {
  const html = scoreHtml(score);
  expect(html).toContain('class="verdict fail"');
  for (const text of ["Survived (1)", "Unknown (1)", "Equivalent (1)", "the index is enough"]) {
    expect(html).toContain(text);
  }
  expect(html).toContain("perform from seats &#60;s&#62; for update;");
  const rest = { invalid: [], unmutated: [], misclassified: [] };
  const good = scoreHtml({ ...score, ...rest, results: score.results.slice(0, 5) });
  expect(good).toContain('class="verdict pass"');
  expect(good).not.toContain("Survived (");
});
