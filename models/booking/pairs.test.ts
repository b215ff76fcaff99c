import { expect, test } from "vitest";
import { operations as defined } from "./operations.ts";
import { pairs } from "./pairs.ts";

const all = Object.entries(pairs()).map(([name, scenario]) => ({ name, scenario }));

/** The pairs of kinds. Further pairs have a comma in their name. */
const everyTwo = all.filter(({ name }) => !name.includes(","));
const partsOf = (name: string) => (name.split(",")[0] ?? "").split(" × ");
const kinds = [...new Set(everyTwo.flatMap(({ name }) => partsOf(name)))];

test("every operation occurs, and every kind of create", () => {
  const operations = all.flatMap(({ scenario }) => scenario.clients.flat());
  expect(new Set(operations.map(({ name }) => name))).toEqual(new Set(Object.keys(defined)));
  const creates = operations.filter(({ name }) => name.startsWith("create"));
  const ways = creates.map(({ name, createdBy, idempotencyKey }) =>
    [name, createdBy, ...(idempotencyKey === null ? [] : ["keyed"])].join(" "),
  );
  expect(new Set(ways)).toEqual(
    new Set([
      "create customer",
      "create customer keyed",
      "createDirectly customer",
      "createDirectly customer keyed",
      "createDirectly vendor",
      "createDirectly vendor keyed",
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

test("names match the operations", () => {
  for (const { name, scenario } of all) {
    const named = partsOf(name).map((kind) => (kind === "retry" ? "create" : kind.split("-")[0]));
    const names = scenario.clients.map(([first]) => first?.name.replace(/Directly$/, ""));
    expect(names).toEqual(named);
  }
});

test("a retry is the same request as the create", () => {
  for (const { name, scenario } of everyTwo) {
    const [first, second] = scenario.clients.flat();
    if (!first?.name.startsWith("create") || partsOf(name)[1] !== "retry") continue;
    expect(first["idempotencyKey"]).toBe("key-1");
    expect(second).toEqual(first);
  }
});
