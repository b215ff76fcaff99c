import { Ajv2020 } from "ajv/dist/2020.js";
import { expect, test } from "vitest";
import { decodeToken } from "../explorer/token.ts";
import { campaignJson } from "./json.ts";
import schema from "./report.schema.json" with { type: "json" };
import { failing, interrupted, passing } from "./sample-campaign.fixture.ts";

const validate = new Ajv2020({ strict: true, allErrors: true }).compile(schema);
const report = (campaign: typeof passing) => JSON.parse(campaignJson(campaign, "reports"));

test.each([
  ["passing", passing],
  ["failing", failing],
  ["interrupted", interrupted],
])("the report of a %s campaign keeps to the schema", (_, campaign) => {
  validate(report(campaign));
  expect(validate.errors ?? []).toEqual([]);
});

test("the report of an execution that no serial order explains keeps to the schema", () => {
  const orders = [
    {
      order: [{ client: 0, operation: "create" }],
      answers: [{ ...{ client: 0, operation: "create" }, codes: { execution: "OK" }, order: 1 }],
      rows: [
        { table: "a", row: { id: 1 }, onlyIn: "order" as const },
        { table: "a", row: { id: 2 }, execution: { b: 1 }, order: { b: 2 } },
      ],
    },
  ];
  const counterexamples = failing.counterexamples.map((one) => ({
    ...one,
    violations: one.violations.map((violation) => ({ ...violation, about: ["a"], orders })),
  }));
  const json = report({ ...failing, counterexamples });
  validate(json);
  expect(validate.errors ?? []).toEqual([]);
  expect(json.counterexamples[0].violation).toMatchObject({ about: ["a"], orders });
});

test.each([
  ["an undefined verdict", { verdict: "passed" }],
  ["an unknown member", { extra: 1 }],
  ["a fraction of an execution", { executions: 1.5 }],
  ["another version", { version: 1 }],
  ["another kind", { kind: "attack" }],
  ["a campaign without settings", { settings: null }],
  ["a counterexample without file", { counterexamples: [{ operations: 2 }] }],
  ["a pair without counts", { pairs: [{ name: "create × cancel" }] }],
  ["a share above 1", { patterns: [{ ...passing.patterns[0], share: 1.2 }] }],
])("the schema refuses %s", (_, change) => {
  expect(validate({ ...report(failing), ...change })).toBe(false);
});

test("the schema describes and requires every member of the report", () => {
  const members = Object.keys(report(passing)).sort();
  expect(Object.keys(schema.properties).sort()).toEqual(members);
  expect([...schema.required].sort()).toEqual(members);
});

test("has the members that CI needs at the top, and the replay commands", () => {
  const json = report(failing);
  expect(json).toMatchObject({ verdict: "fail", seed: 1, executions: 112, violations: 2 });
  expect(json.executionsPerSecond).toBe(62.1);
  const [first] = json.counterexamples;
  expect(first).toMatchObject({
    file: expect.stringMatching(/^reports\/counterexamples\/booking-check-then-insert-.*\.json$/),
    operations: 2,
    preemptions: 2,
    violation: { checker: "invariant", name: "slot_with_several_bookings" },
    otherViolations: [{ name: "overlapping_bookings" }],
  });
  expect(first.replay).toBe(`npx heddle replay ${first.file}`);
  expect(decodeToken(first.token).mutant).toBe("check-then-insert");
});

test("the reports of equal campaigns differ in timing and rate only", () => {
  const slower = {
    ...failing,
    startedAt: "2027-01-01T00:00:00Z",
    elapsedMs: 9,
    executionsPerSecond: 1,
  };
  const timeless = (campaign: typeof passing) => {
    const { timing, executionsPerSecond, ...rest } = report(campaign);
    expect([timing, executionsPerSecond]).not.toContain(undefined);
    return rest;
  };
  expect(timeless(slower)).toEqual(timeless(failing));
  expect(campaignJson(slower, "reports")).not.toBe(campaignJson(failing, "reports"));
  expect(timeless({ ...failing, digest: "0" })).not.toEqual(timeless(failing));
});
