import { expect, test } from "vitest";
import { campaignJunit } from "./junit.ts";
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";

const count = (xml: string, pattern: RegExp) => [...xml.matchAll(pattern)].length;

test("each rule is a test case, and so is the campaign", () => {
  const xml = campaignJunit(passing, "reports");
  expect(count(xml, /<testcase /g)).toBe(passing.rules.length + 1);
  expect(xml).toContain(`tests="${passing.rules.length + 1}" failures="0" errors="0"`);
  expect(xml).toContain('classname="heddle.booking.invariant"');
  expect(xml).not.toMatch(/<failure|<error/);
});

test("a violated rule fails with its counterexample and the replay command", () => {
  const xml = campaignJunit(failing, "reports");
  const violated = failing.rules.filter(({ violated }) => violated > 0);
  expect(count(xml, /<failure /g)).toBe(violated.length);
  expect(xml).toContain(`failures="${violated.length}"`);
  expect(xml).toMatch(/<failure [^>]*>slot_with_several_bookings[\s\S]*npx heddle replay/);
});

test("a rule that was never checked is skipped, and one that only a counterexample violates fails", () => {
  const [shown] = failing.counterexamples;
  const [first, second] = passing.rules;
  if (!shown || !first || !second) throw new Error("the sample has them");
  const violations = [{ ...first, message: "", evidence: [] }];
  const xml = campaignJunit(
    {
      ...failing,
      rules: [first, { ...second, checked: 0 }],
      counterexamples: [{ ...shown, violations }],
    },
    "reports",
  );
  expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1"');
  expect(xml).toMatch(new RegExp(`name="${first.name}"[^>]*>\n<failure `));
  expect(xml).toMatch(new RegExp(`name="${second.name}"[^>]*>\n<skipped message="never checked"`));
});

test("an unknown verdict is an error, never a pass", () => {
  const xml = campaignJunit(interrupted, "reports");
  expect(xml).toContain('errors="1"');
  expect(xml).toMatch(/<testcase name="campaign"[^>]*>\n<error message="Unknown: interrupted/);
});

test("the file is well-formed, whatever the texts hold", () => {
  const [rule] = failing.rules;
  if (rule === undefined) throw new Error("the sample has no rule");
  const name = "a\u0000b\u001b]]>&<\"'\ud800\u2028é";
  const xml = campaignJunit({ ...passing, rules: [{ ...rule, name, violated: 1 }] }, "reports");
  expect(xml).toContain('name="a\ufffdb\ufffd]]&gt;&amp;&lt;&quot;\'\ufffd\u2028é"');
});
