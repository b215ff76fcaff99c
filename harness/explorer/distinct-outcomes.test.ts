import { expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { DistinctOutcomes } from "./distinct-outcomes.ts";

/** Each client sends one operation and gets its answer; then the rows are left. */
const execution = (answers: readonly Json[], rows: readonly JsonObject[], sent: Json = null) =>
  ({
    scenario: { initial: null, clients: answers.map(() => [{ name: "make", sent }]) },
    trace: answers.flatMap((body, client) => [
      { type: "invoke", client, index: 0, operation: { name: "make" } },
      { type: "return", client, index: 0, response: { outcome: "ok", code: "OK", body } },
    ]),
    contents: { rows },
    snapshot: {},
  }) as unknown as Execution;

const count = (...all: readonly Execution[]) => {
  const outcomes = new DistinctOutcomes();
  for (const one of all) outcomes.add(one);
  return outcomes.count;
};

const uuid = (digit: string) => `${digit.repeat(8)}-0000-4000-8000-000000000000`;
const [A, B, C, D] = [uuid("a"), uuid("b"), uuid("c"), uuid("d")] as const;

test("values that look random count by where they appear, in answers and in rows", () => {
  const one = execution([{ id: A }, { id: B }], [{ id: A }, { id: B }]);
  const other = execution([{ id: D }, { id: C }], [{ id: C }, { id: D }]);
  expect(count(one, other)).toBe(1);
  expect(count(one, execution([{ id: C }, { id: D }], [{ id: C }, { id: C }]))).toBe(2);
});

test("times are equal, and other values are not", () => {
  const at = (time: string, value: number) => execution([{ time, value }], []);
  expect(count(at("2026-01-01T10:00:00Z", 1), at("2026-01-01T10:00:01Z", 1))).toBe(1);
  expect(count(at("2026-01-01T10:00:00Z", 1), at("2026-01-01T10:00:00Z", 2))).toBe(2);
});

test("a value that a client sent is compared as it is", () => {
  const sent = [A, B];
  expect(count(execution([A], [], sent), execution([B], [], sent))).toBe(2);
});
