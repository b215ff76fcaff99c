import { expect, test } from "vitest";
import { campaignGithub } from "./github.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";

test("a pass is a notice, a violation an error with its replay command, and unknown a warning", () => {
  expect(campaignGithub(passing, "reports").annotations).toEqual([
    expect.stringMatching(/^::notice title=Heddle%3A booking::No violation in 2,000 executions/),
  ]);
  const [first, second] = campaignGithub(failing, "reports").annotations;
  expect(first).toMatch(/^::error title=Heddle%3A booking with the seeded bug/);
  expect(second).toMatch(
    /^::error title=Heddle%3A slot_with_several_bookings::.*%0AReplay it: npx/,
  );
  expect(campaignGithub(interrupted, "reports").annotations[0]).toMatch(/^::warning /);
});

test("no text ends an annotation or begins another", () => {
  const service = "a\n::error::b,c:d%0A";
  for (const line of campaignGithub({ ...passing, service }, "reports").annotations) {
    expect(line).not.toContain("\n");
    expect(line.split("::")[1]).not.toMatch(/%0A$|,/);
  }
});

test("the summary has the verdict, the counts, and each counterexample with its replay command", () => {
  const { summary } = campaignGithub(failing, "reports");
  expect(summary).toMatch(/^## ❌ Heddle: booking with the seeded bug check-then-insert\n/);
  expect(summary).toContain("| 112 | 112 | 62.1 | 1.8 s |");
  expect(summary).toContain("npx heddle replay reports/counterexamples/");
  expect(summary.match(/^### /gm)).toHaveLength(failing.counterexamples.length);
  expect(campaignGithub(passing, "reports").summary).toMatch(/^## ✅/);
});

test("texts are escaped, and no fence ends early", () => {
  const [counterexample] = failing.counterexamples;
  if (counterexample === undefined) throw new Error("the sample has no counterexample");
  const [violation] = counterexample.violations;
  if (violation === undefined) throw new Error("the sample has no violation");
  const message = "<img src=x> `x` | **b** ```` end";
  const changed = { ...counterexample, violations: [{ ...violation, message }] };
  const { summary } = campaignGithub({ ...failing, counterexamples: [changed] }, "reports");
  expect(summary).not.toContain("\n<img");
  expect(summary).toContain("&#60;img src=x&#62;");
  expect(summary).toContain("`````text");
});
