import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import type { AttackReport } from "../attack/attack-report.ts";
import { attackGithub, attackJunit, attackSentence, attackText } from "./attack.ts";
import schema from "./attack-report.schema.json" with { type: "json" };
import { attackHtml } from "./html/attack.ts";
import { attackJson } from "./json.ts";
import { failedAttack, passedAttack } from "./sample-records.fixture.ts";

const unfinished: AttackReport = { ...passedAttack, verdict: "unknown", reason: "interrupted" };
const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);

test.each([
  passedAttack,
  failedAttack,
  unfinished,
])("the JSON keeps to its schema: %#", (report) => {
  const json = JSON.parse(attackJson(report));
  validate(json);
  expect(validate.errors ?? []).toEqual([]);
  expect([...schema.required].sort()).toEqual(Object.keys(json).sort());
  expect(Object.keys(schema.properties).sort()).toEqual(Object.keys(json).sort());
});

test.each([
  { verdict: "passed" },
  { kind: "campaign" },
  { executions: 100 },
  { rounds: -1 },
])("the schema refuses %j", (change) => {
  expect(validate({ ...JSON.parse(attackJson(passedAttack)), ...change })).toBe(false);
});

test("the sentence says what was sent, and that the target chose the order", () => {
  const executed = "100 rounds of the attack double-booking (800 requests, 8 at once, seed s)";
  expect(attackSentence(passedAttack)).toBe(
    `No violation in ${executed}. The target chose the order of the requests: this is a sample, not a proof.`,
  );
  expect(attackSentence(failedAttack)).toBe(`2 violations in ${executed}: one_winner.`);
  expect(attackSentence(unfinished)).toBe(
    `Unknown: interrupted, after ${executed}. No violation until then, but this is not a pass.`,
  );
});

test("the text shows violations, counts, latencies, and the paths of the reports", () => {
  const text = attackText(failedAttack, { colour: false, folder: "out", width: 200 });
  expect(text).toMatch(
    /^one_winner \(attack\): 2 requests won slot 7\n {2}client=0 code="CREATED"\n/,
  );
  for (const line of [
    "FAIL  booking, attack double-booking",
    "target       http://localhost:3000, database postgres://localhost:5432/shop",
    "rounds       100 of 100, 800 requests in 4.2 s",
    "responses    create: CREATED 100, BOOKING_CONFLICT 700",
    "latency      by function: median 1.5 ms, 95th percentile 12.0 ms, 99th percentile 30.0 ms, 800 requests",
    "rules        2 rules checked 100 times; violated: one_winner 2",
    "reports      out/report.html, out/report.json",
  ]) {
    expect(text).toContain(`${line}\n`);
  }
  expect(text).not.toMatch(/execution|scenario|preemption|read committed/);
});

test("in JUnit, a violated rule fails with its example, and an unchecked rule is skipped", () => {
  const xml = attackJunit(failedAttack);
  expect(xml).toContain('tests="3" failures="1" errors="0" skipped="1"');
  expect(xml).toMatch(
    /<failure message="violated in 2 of 100[^>]*>one_winner \(attack\): 2 requests/,
  );
  expect(xml).toContain('<property name="attack" value="double-booking"/>');
  expect(attackJunit(unfinished)).toMatch(/name="attack"[^>]*>\n<error message="Unknown: inter/);
});

test("GitHub gets the verdict, and an error for each violated rule", () => {
  const { annotations, summary } = attackGithub(failedAttack, "out");
  expect(annotations).toEqual([
    expect.stringMatching(
      /^::error title=Heddle%3A booking%2C attack double-booking::2 violations/,
    ),
    "::error title=Heddle%3A one_winner::2 requests won slot 7",
  ]);
  expect(summary).toMatch(/^## ❌ Heddle: booking, attack double-booking\n/);
  expect(summary).toContain("### one&#95;winner");
  expect(attackGithub(passedAttack, "out").annotations).toHaveLength(1);
});

test("the page shows the same, and claims no schedules", () => {
  const html = attackHtml(failedAttack);
  for (const text of [
    'class="verdict fail"',
    "<code>one_winner</code>",
    "2 requests won slot 7",
    "never checked",
    "95th percentile",
    "Several clients book &#60;one&#62; slot.",
    "postgres://localhost:5432/shop",
    "Heddle held nothing back",
  ]) {
    expect(html).toContain(text);
  }
  expect(html).not.toMatch(/Preemptions|Isolation|Scenarios/);
  const ids = [...html.matchAll(/href="#([\w-]+)"/g)].map(([, id]) => id);
  expect(ids.filter((id) => !html.includes(`id="${id}"`))).toEqual([]);
  expect(attackHtml(passedAttack)).not.toContain('id="violations"');
});
