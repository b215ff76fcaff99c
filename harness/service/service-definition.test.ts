import { expect, test } from "vitest";
import { http, sql } from "./operation-definition.ts";
import { defineService, looksLikeService, serviceDefinitionProblem } from "./service-definition.ts";

const claim = sql("select claim()");
const GOOD = { setup: "schema.sql", operations: { claim } };

test.each([
  ["a file", GOOD],
  ["several steps", { ...GOOD, setup: ["a.sql", "select 1", { exec: ["a"] }, () => {}] }],
  ["a program", { ...GOOD, service: { exec: ["node", "a.js"] }, operations: { a: http.get("/") } }],
  ["a function", { ...GOOD, service: () => ({ url: "", stop() {} }) }],
  ["a running service", { ...GOOD, service: { url: "http://a", databasePort: 1 } }],
  ["an isolation level", { ...GOOD, isolation: "repeatable-read" }],
  ["invariants", { ...GOOD, invariants: { a: "select 1", b: () => [] }, errors: ["40001"] }],
])("a definition with %s has no problem", (_, definition) => {
  expect(serviceDefinitionProblem(definition)).toBeUndefined();
});

test.each([
  [undefined, /no `export default defineService/],
  [{ ...GOOD, setup: 1 }, /`setup` is neither SQL/],
  [{ ...GOOD, setup: [["npx", "prisma"]] }, /`setup` is neither SQL/],
  [{ ...GOOD, operation: {} }, /`operation` is unknown \(did you mean `operations`\?\)/],
  [{ setup: "a.sql", operations: {} }, /`operations` is empty/],
  [{ setup: "a.sql", operations: [GOOD.operations, "orders"] }, /`operations` is not an object/],
  [{ setup: "a.sql", operations: [claim] }, /the operation "sql" is none of/],
  [{ ...GOOD, operations: { claim: "select 1" } }, /the operation "claim" is none of/],
  [
    { ...GOOD, operations: { look: http.get("/") } },
    /"look" is an HTTP request, but there is no `service`/,
  ],
  [{ ...GOOD, service: { exec: [] } }, /`service` has neither `exec`.* and is no function/],
  [{ ...GOOD, invariants: { sum: 1 } }, /the invariant "sum" is neither SQL nor a function/],
  [{ ...GOOD, isolation: "snapshot" }, /`isolation` is none of "read committed", /],
  [{ ...GOOD, errors: "40001" }, /`errors` is not a list/],
  [{ ...GOOD, ignore: [1] }, /`ignore` is not a list/],
  [{ ...GOOD, ids: [] }, /`ids` is not an object/],
  [{ ...GOOD, name: 1 }, /`name` is not a text/],
])("%j has a problem, which is said: %s", (definition, problem) => {
  expect(serviceDefinitionProblem(definition)).toMatch(problem);
});

test("what is meant to be a definition is told from a service and from a scenario", () => {
  expect(looksLikeService(defineService(GOOD))).toBe(true);
  expect(looksLikeService({ operations: {} })).toBe(true);
  expect(looksLikeService({ setup: "", operatoins: {} })).toBe(true);
  expect(looksLikeService({ setup: "", clients: {} })).toBe(false);
  expect(looksLikeService({ operations: {}, migrate() {} })).toBe(false);
});
