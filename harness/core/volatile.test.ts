import { describe, expect, test } from "vitest";
import { type ComparisonOptions, VolatileComparison } from "./volatile.ts";
import { placeholders, renamed } from "./volatile-values.ts";

const UUIDS = ["7f0c1c3e-9d55-4a60-8d5c-0a4b1a0c4f11", "1b4e28ba-2fa1-41d2-883f-0016d3cca427"];
const [U, V] = UUIDS as [string, string];

function compare(first: unknown, second: unknown, options: ComparisonOptions = {}) {
  const comparison = new VolatileComparison(options);
  const found = comparison.difference([{ body: first }], [{ body: second }]);
  return { found, values: comparison.values, count: comparison.count };
}

describe("values that differ by nature", () => {
  test.each<[string, unknown, unknown, string]>([
    ["a UUID", U, V, "uuid"],
    ["a UUID in a text", `job ${U} is taken`, `job ${V} is taken`, "uuid"],
    ["a UUID in an array", [{ id: [U] }], [{ id: [V] }], "uuid"],
    ["a ULID", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "01ARZ3NDEKP8W2M0XB7C1QZJ3N", "text"],
    ["a nanoid", "V1StGXR8_Z5jdHi6B-myT", "-x9Qk2_Lm4PzR7aBw0TcY", "text"],
    ["a text in Base64", "token=q83+7w/0aZ1k==", "token=Zx9K2mLp0Qrs7T==", "text"],
    ["a time as JSON writes it", "2026-11-29T13:16:26.123Z", "2026-11-29T13:16:27.5Z", "time"],
    ["a time as Postgres writes it", "2026-11-29 13:16:26+00", "2026-11-29 13:16:26.12+00", "time"],
    [
      "a time in words",
      "at Sun Nov 29 2026 13:16:26 GMT+0000 (Coordinated Universal Time).",
      "at Sun Nov 29 2026 13:16:29 GMT+0000 (Coordinated Universal Time).",
      "time",
    ],
    ["a time in milliseconds", 1_764_422_186_123, 1_764_422_187_456, "number"],
    ["a random fraction", 0.8437128391, 0.1234567812, "number"],
    ["a process", "Process 84 waits", "Process 101 waits", "number"],
    [
      "a transaction",
      "waits for ShareLock on transaction 742;",
      "waits for ShareLock on transaction 751;",
      "number",
    ],
    [
      "a port",
      "connect ECONNREFUSED 127.0.0.1:5123",
      "connect ECONNREFUSED 127.0.0.1:41234",
      "number",
    ],
    ["a duration", "migrated in 12ms", "migrated in 7ms", "time"],
    ["a duration with a space", "took 12 ms", "took 7 ms", "time"],
    ["a parameter in binary form", "\\x0002f1a2b3c4d5e6", "\\x0002f1a2b3d519c2", "text"],
  ])("%s", (_, first, second, kind) => {
    const { found, values, count } = compare(first, second);
    expect(found).toBeUndefined();
    expect(values.map((value) => value.kind)).toEqual([kind]);
    expect(count).toBe(1);
  });

  test("have names by their first appearance", () => {
    const { values } = compare(
      [V, `${U} 2026-11-29T10:00:00Z`, U],
      [
        "00000000-0000-4000-8000-000000000001",
        "00000000-0000-4000-8000-000000000002 2026-11-29T10:00:01Z",
        "00000000-0000-4000-8000-000000000002",
      ],
    );
    expect(placeholders(`${U}, ${V}, 2026-11-29T10:00:00Z, 12`, values)).toBe(
      "⟨uuid 2⟩, ⟨uuid 1⟩, ⟨time 3⟩, 12",
    );
  });

  test("may order rows", () => {
    const rows = (...ids: string[]) => ids.map((id, at) => ({ id, name: at === 0 ? "a" : "b" }));
    const [a, b] = rows(U, V);
    const [c, d] = rows(
      "00000000-0000-4000-8000-000000000001",
      "00000000-0000-4000-8000-000000000002",
    );
    expect(compare([a, b], [d, c]).found).toBeUndefined();
    expect(compare([a, b], [d, d]).found).toBeDefined();
  });

  test("may move the end of a text that is cut", () => {
    const text = (process: number) => `Process ${process} waits for a lock, and so on`.slice(0, 36);
    expect(compare(text(99), text(100)).found).toBeUndefined();
    expect(compare(text(100), text(99)).found).toBeUndefined();
    expect(compare(text(99), `${text(100)} else`).found).toBeDefined();
  });

  test("are those that were known, whatever they look like", () => {
    const known = [{ kind: "text", value: "ada" }] as const;
    expect(compare("by ada", "by bob").found).toBeDefined();
    expect(compare("by ada", "by bob", { known }).found).toBeUndefined();
    expect(compare("by eve", "by bob", { known }).found).toBeDefined();
  });

  test("are all that differ between two executions on fresh systems", () => {
    expect(
      compare({ n: 3, by: "ada" }, { n: 5, by: "bob" }, { anyValue: true }).found,
    ).toBeUndefined();
    expect(compare("one word", "two more words", { anyValue: true }).found).toBeDefined();
  });

  test.each<[string, unknown, unknown]>([
    ["alone", 482_913, 7],
    ["with a sign", -5, 12],
    ["with an exponent", 1e-9, 0.25],
    ["as a parameter", ["-5.5"], ["12"]],
    ["in a row", [{ score: 17 }], [{ score: 4 }]],
    ["in a text", "score 17", "score 4"],
  ])("may be bare numbers, found on fresh systems and known from then on: %s", (_, a, b) => {
    const { found, values } = compare(a, b, { anyValue: true });
    expect(found).toBeUndefined();
    expect(values).toMatchObject([{ kind: "number" }]);
    expect(compare(a, b).found).toBeDefined();
    expect(compare(a, b, { known: values }).found).toBeUndefined();
  });

  test("have placeholders where they stand alone", () => {
    const { values } = compare({ n: -5 }, { n: 12 }, { anyValue: true });
    expect(renamed({ n: -5, m: 5 }, values)).toEqual({ n: "⟨number 1⟩", m: 5 });
  });
});

describe("a difference", () => {
  test.each<[string, unknown, unknown]>([
    ["is a short number", 1, 2],
    ["is a number in a text", "2 rows", "3 rows"],
    ["is a number at the end of a word", "customer-1", "customer-2"],
    ["is an amount", "12500", "13000"],
    ["is a word", "approved", "cancelled"],
    ["is a longer text", "a b", "a b c"],
    ["is another type", 1, "1"],
    ["is a missing member", { a: 1 }, {}],
    ["is an additional row", [{ a: 1 }], [{ a: 1 }, { a: 2 }]],
    ["is an id where there was another one", [U, U], [U, V]],
    ["is an id that became two", [U, U], [V, "00000000-0000-4000-8000-000000000001"]],
    ["is two ids that changed places", [U, V], [V, U]],
    ["is null", null, U],
  ])("%s", (_, first, second) => {
    expect(compare(first, second).found).toBeDefined();
  });

  test("is a value of the input, also in another form", () => {
    const inputs = { at: "2030-01-01T10:00:00Z", id: U };
    expect(compare(U, V, { inputs }).found).toBeDefined();
    expect(compare("2030-01-01 10:00+00", "2030-01-02 10:00+00", { inputs }).found).toBeDefined();
  });

  test("is anything outside values, such as a code", () => {
    const returned = (code: string) => ({ type: "return", response: { code, body: U } });
    const comparison = new VolatileComparison({ anyValue: true });
    expect(comparison.difference([returned("A1")], [returned("A2")])).toMatchObject({ at: 0 });
  });

  test("is shown without what is equal around it, and with placeholders", () => {
    const sql = (n: number, id: string) =>
      `${"select 1; ".repeat(30)} update t set n = ${n} where id = '${id}' ${"; select 2".repeat(30)}`;
    const comparison = new VolatileComparison();
    const found = comparison.difference(
      [{ sql: U }, { sql: sql(1, U) }],
      [{ sql: V }, { sql: sql(2, V) }],
    );
    expect(found?.at).toBe(1);
    expect(found?.expected).toMatch(/^….*n = 1 where id = '⟨uuid 1⟩'.*…$/);
    expect(found?.actual).toMatch(/^….*n = 2 where id = '⟨uuid 1⟩'.*…$/);
    expect(found?.expected?.length).toBeLessThan(120);
  });

  test("is the end of the shorter list", () => {
    const comparison = new VolatileComparison();
    expect(comparison.difference([1], [])).toEqual({ at: 0, expected: "1", actual: undefined });
    expect(comparison.difference([], [1])).toEqual({ at: 0, expected: undefined, actual: "1" });
    expect(comparison.difference([1], [1])).toBeUndefined();
  });
});
