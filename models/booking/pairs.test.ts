import { expect, test } from "vitest";
import { pairs } from "./pairs.ts";
import { codes } from "./responses.ts";

/** The pairs of kinds. Further pairs have a comma in their name. */
const everyTwo = pairs().filter(({ name }) => !name.includes(","));
const partsOf = (name: string) => (name.split(",")[0] ?? "").split(" × ");
const kinds = [...new Set(everyTwo.flatMap(({ name }) => partsOf(name)))];

test("every operation occurs, and every kind of create", () => {
  const operations = pairs().flatMap(({ scenario }) => scenario.clients.flat());
  expect(new Set(operations.map(({ name }) => name))).toEqual(new Set(Object.keys(codes)));
  const creates = operations.filter((operation) => operation.name === "create");
  const ways = creates.map(({ via, createdBy, idempotencyKey }) =>
    [via, createdBy, ...(idempotencyKey === undefined ? [] : ["keyed"])].join(" "),
  );
  expect(new Set(ways)).toEqual(
    new Set([
      "http customer",
      "http customer keyed",
      "function customer",
      "function customer keyed",
      "function vendor",
      "function vendor keyed",
    ]),
  );
});

test("every two kinds are a pair once, each with itself too", () => {
  const expected = kinds.flatMap((first, at) =>
    kinds.slice(at).map((second) => `${first} × ${second}`),
  );
  expect(kinds).toHaveLength(13);
  expect(everyTwo.map(({ name }) => name).sort()).toEqual(expected.sort());
});

test("names are unique, and match the operations", () => {
  const names = pairs().map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  for (const { name, scenario } of pairs()) {
    const named = partsOf(name).map((kind) => (kind === "retry" ? "create" : kind.split("-")[0]));
    expect(scenario.clients.map(([first]) => first?.name)).toEqual(named);
  }
});

test("a retry is the same request as the create", () => {
  for (const { name, scenario } of everyTwo) {
    const [first, second] = scenario.clients.flat();
    if (first?.name !== "create" || partsOf(name)[1] !== "retry") continue;
    expect(first.idempotencyKey).toBeDefined();
    expect(second).toEqual(first);
  }
});
