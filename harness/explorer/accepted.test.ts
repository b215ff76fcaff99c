import { expect, test } from "vitest";
import type { Checker } from "../checkers/checker.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { acceptanceSentence, isInForce, withoutAccepted } from "./accepted.ts";

const scenario = (...names: string[]) => ({
  initial: null,
  clients: names.map((name) => [{ name }]),
});
const violation = (name: string) => ({ checker: "invariant", name, message: name, evidence: [] });

const checker: Checker<Json, Operation> = {
  rules: [],
  check: async () => ({ violations: [violation("a"), violation("b")], undecided: "no time" }),
};

const accepted = [{ scenario: scenario("order", "order"), violation: violation("a") }];

test.each([
  [["order", "order"], ["b"]],
  [["cancel", "order", "order"], ["b"]],
  [
    ["order", "cancel"],
    ["a", "b"],
  ],
])("in a scenario of %s, the accepted violation of two orders leaves %s", async (names, left) => {
  const [filtered] = withoutAccepted([checker], accepted);
  const execution = { scenario: scenario(...names) } as unknown as Execution;
  const result = await filtered?.check(execution, () => Promise.reject());
  expect(result?.violations.map(({ name }) => name)).toEqual(left);
  expect(result?.undecided).toBe("no time");
});

test("an acceptance ends with its last day", () => {
  const acceptance = { until: "2030-01-31", because: "it is known." };
  expect(isInForce(acceptance, new Date("2030-01-31T23:59:59Z"))).toBe(true);
  expect(isInForce(acceptance, new Date("2030-02-01T00:00:00Z"))).toBe(false);
});

test("a report says whether an accepted violation occurs, is accepted no longer, or is gone", () => {
  const [known] = accepted;
  if (known === undefined) throw new Error("nothing is accepted");
  const acceptance = { until: "2030-01-31", because: "it is known." };
  const sentence = (inForce: boolean, occurs: boolean) =>
    acceptanceSentence("a.json", known, acceptance, { inForce, occurs });
  expect(sentence(true, true)).toBe(
    "Accepted: a of order × order (a.json) occurs, and fails no run until 2030-01-31: it is known.",
  );
  expect(sentence(false, true)).toMatch(/^No longer accepted: .* until 2030-01-31: it is known\.$/);
  expect(sentence(true, false)).toMatch(/^Accepted and gone: .*--prune\.$/);
});
