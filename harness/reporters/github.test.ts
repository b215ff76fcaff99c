import { expect, test } from "vitest";
import { githubAnnotations, markdownSummary } from "./github.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";

test("a pass is a notice, a violation an error with its replay, and unknown a warning", () => {
  expect(githubAnnotations(passing, "reports")).toEqual([
    expect.stringMatching(/^::notice title=Heddle%3A booking::No violation in 2,000 executions/),
  ]);
  const [first, second] = githubAnnotations(failing, "reports");
  expect(first).toMatch(/^::error title=Heddle%3A booking with the seeded bug/);
  expect(second).toMatch(
    /^::error title=Heddle%3A slot_with_several_bookings::.*%0AReplay it: npx/,
  );
  expect(githubAnnotations(interrupted, "reports")[0]).toMatch(/^::warning /);
});

test("no text ends an annotation, or begins another", () => {
  const model = "a\n::error::b,c:d%0A";
  for (const line of githubAnnotations({ ...passing, service: model }, "reports")) {
    expect(line).not.toContain("\n");
    expect(line.split("::")[1]).not.toMatch(/%0A$|,/);
  }
});

test("the summary has the verdict, the counts, and each counterexample with its replay", () => {
  const page = markdownSummary(failing, "reports");
  expect(page).toMatch(/^## ❌ Heddle: booking with the seeded bug check-then-insert\n/);
  expect(page).toContain("| 112 | 112 | 62.1 | 1.8 s |");
  expect(page).toContain("npx heddle replay reports/counterexamples/");
  expect(page.match(/^### /gm)).toHaveLength(failing.counterexamples.length);
  expect(markdownSummary(passing, "reports")).toMatch(/^## ✅/);
});

test("texts are no markup, and no fence ends early", () => {
  const [counterexample] = failing.counterexamples;
  if (counterexample === undefined) throw new Error("the sample has no counterexample");
  const [violation] = counterexample.violations;
  if (violation === undefined) throw new Error("the sample has no violation");
  const message = "<img src=x> `x` | **b** ```` end";
  const changed = { ...counterexample, violations: [{ ...violation, message }] };
  const page = markdownSummary({ ...failing, counterexamples: [changed] }, "reports");
  expect(page).not.toContain("\n<img");
  expect(page).toContain("&#60;img src=x&#62;");
  expect(page).toContain("`````text");
});
