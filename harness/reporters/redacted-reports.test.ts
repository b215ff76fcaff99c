import { expect, test } from "vitest";
import type { Json } from "../core/json.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { redactedCampaign } from "./redacted-reports.ts";
import { redactionOf } from "./redaction.ts";
import { failing } from "./sample-campaign.fixture.ts";

/** A value in a counterexample, after redaction. */
function redacted(value: Json, rules: readonly string[]): Json {
  const [counterexample] = failing.counterexamples;
  if (counterexample === undefined) throw new Error("the fixture has a counterexample");
  const scenario = { ...counterexample.scenario, initial: value };
  const campaign: Campaign = { ...failing, counterexamples: [{ ...counterexample, scenario }] };
  const shown = redactedCampaign(campaign, redactionOf(rules));
  return shown.counterexamples[0]?.scenario.initial ?? null;
}

test("leaves out the values of a column, wherever they stand", () => {
  const campaign = {
    evidence: [{ id: 1, Email: "ada@x.org", note: null }],
    message: 'broken: {"id":1,"Email":"ada@x.org"} of 40000000000000001',
    statement: {
      sql: "update users set email = 'ada@x.org' where name = $1",
      values: ["Lovelace"],
    },
    other: { sql: "select 'kept' where id = $1", values: ["7"] },
    body: { text: "hello Lovelace" },
  };
  const shown = redacted(campaign, ["email", "note"]);
  expect(shown).toEqual({
    evidence: [{ id: 1, Email: "[redacted]", note: null }],
    message: 'broken: {"id":1,"Email":"[redacted]"} of 40000000000000001',
    statement: {
      sql: "update users set email = '[redacted]' where name = $1",
      values: ["[redacted]"],
    },
    other: { sql: "select 'kept' where id = $1", values: ["7"] },
    body: { text: "hello [redacted]" },
  });
});

test("leaves out what matches a pattern, and refuses one that is none", () => {
  const shown = redacted({ a: "card 4111111111111111", b: 5 }, ["/\\d{16}/"]);
  expect(shown).toEqual({ a: "card [redacted]", b: 5 });
  expect(() => redactionOf(["/(/"])).toThrow("--redact");
});

test("no value of a redacted column is left in any report of a campaign", () => {
  const shown = redactedCampaign(
    failing,
    redactionOf(["customer_name", "customerName", '/Ada[^"]*/']),
  );
  expect(JSON.stringify(failing.counterexamples)).toContain("Ada");
  expect(JSON.stringify(shown)).not.toContain("Ada");
  expect({ ...shown, counterexamples: [] }).toEqual({ ...failing, counterexamples: [] });
});

test("values of serial orders are left out too, and the names of operations stay", () => {
  const [counterexample] = failing.counterexamples;
  if (counterexample === undefined) throw new Error("the fixture has a counterexample");
  const order = [{ client: 0, operation: "email" }];
  const violation = {
    ...{ checker: "serial-equivalence", name: "serially-equivalent", message: "", evidence: [] },
    about: ["public.users"],
    orders: [
      {
        order,
        answers: [{ ...{ client: 0, operation: "email" }, execution: { email: "ada@x.org" } }],
        rows: [
          {
            ...{ table: "public.users", row: { id: 1, email: "ada@x.org" } },
            ...{ execution: { email: "ada@x.org" }, order: { email: "bob@x.org" } },
          },
        ],
      },
    ],
  };
  const campaign = {
    ...failing,
    counterexamples: [{ ...counterexample, violations: [violation] }],
  };
  const shown = redactedCampaign(campaign, redactionOf(["email"])).counterexamples[0];
  expect(JSON.stringify(shown?.violations)).not.toMatch(/ada@|bob@/);
  expect(shown?.violations[0]).toMatchObject({
    about: ["public.users"],
    orders: [{ order, rows: [{ table: "public.users", row: { id: 1, email: "[redacted]" } }] }],
  });
});
