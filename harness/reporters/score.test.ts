import { expect, test } from "vitest";
import { scoreHtml } from "./html/score.ts";
import { score } from "./sample-score.fixture.ts";
import { scoreText } from "./score-text.ts";

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

invalid (1)
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
  const rest = { invalid: [], unmutated: [], misclassified: [] };
  const good = scoreHtml({ ...score, ...rest, results: score.results.slice(0, 5) });
  expect(good).toContain('class="verdict pass"');
  expect(good).not.toContain("Survived (");
});
