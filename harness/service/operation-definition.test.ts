import fc from "fast-check";
import { expect, test } from "vitest";
import {
  arbitraryOf,
  argumentsOf,
  http,
  operationProblem,
  requestOf,
  sql,
} from "./operation-definition.ts";
import { rowOf } from "./row-reference.ts";

const sample = (name: string, definition: Parameters<typeof arbitraryOf>[1]) =>
  fc.sample(arbitraryOf(name, definition), { seed: 1, numRuns: 20 });

test("a request has its path's parameters in the path, and all other arguments in the body", () => {
  const cancel = http.post("/orders/:id/lines/:line", { id: 7, line: "a b", reason: "late" });
  expect(sample("cancel", cancel)[0]).toEqual({
    name: "cancel",
    id: 7,
    line: "a b",
    reason: "late",
  });
  expect(requestOf(cancel, { name: "cancel", id: 7, line: "a b", reason: "late" })).toEqual({
    method: "POST",
    path: "/orders/7/lines/a%20b",
    headers: {},
    body: { reason: "late" },
  });
});

test("a GET has the other arguments in its query, and a body is what only other methods have", () => {
  const list = http.get("/orders", { status: "open", page: 2 });
  expect(requestOf(list, { name: "list", status: "open", page: 2 })).toEqual({
    method: "GET",
    path: "/orders?status=open&page=2",
    headers: {},
  });
  expect(requestOf(http.get("/orders"), { name: "list" }).path).toBe("/orders");
  expect(requestOf(http.put("/orders"), { name: "all" })).toMatchObject({
    method: "PUT",
    body: {},
  });
});

test("an argument may be called name, and headers are generated beside the arguments", () => {
  const register = http.post(
    "/customers",
    { name: fc.constantFrom("ada", "bob") },
    { headers: { "idempotency-key": fc.constantFrom("a", "b") } },
  );
  const [operation] = sample("register", register);
  if (operation === undefined) throw new Error("nothing was generated");
  expect(operation.name).toBe("register");
  const { values, headers } = argumentsOf(operation);
  expect(values).toEqual({ name: expect.stringMatching(/^(ada|bob)$/) });
  expect(headers).toEqual({ "idempotency-key": expect.stringMatching(/^[ab]$/) });
  expect(requestOf(register, operation)).toMatchObject({ body: values, headers });
});

test("arguments are arbitraries and constants, at any depth", () => {
  const order = http.post("/orders", {
    lines: [{ item: rowOf("items.id"), quantity: fc.integer({ min: 1, max: 3 }), gift: false }],
  });
  for (const { lines } of sample("order", order)) {
    expect(lines).toEqual([
      {
        item: expect.objectContaining({ of: "items.id" }),
        quantity: expect.any(Number),
        gift: false,
      },
    ]);
  }
});

test("the parameters of SQL are its arguments, in their order", () => {
  const claim = sql("select claim($1, $2)", [3, "ada"]);
  expect(sample("claim", claim)[0]).toEqual({ name: "claim", $1: 3, $2: "ada" });
});

test("the compiler asks for each parameter of a path", () => {
  // @ts-expect-error: there is no argument for :id.
  http.post("/orders/:id/cancel", { reason: "late" });
  // @ts-expect-error: there are no arguments at all.
  http.get("/orders/:id");
  expect(operationProblem(http.get("/orders"))).toBeUndefined();
});

test.each([
  [http.post("/orders/:id", { id: 1 }), undefined],
  [sql("select 1"), undefined],
  [
    { http: { method: "GET", path: "/a/:id" }, arguments: {} },
    "has no argument for :id in its path",
  ],
  [{ http: { method: "GET" }, arguments: {} }, "has a path that is not a text"],
  ["POST /orders", "is none of `http.get(…)`"],
  [{ sql: "select 1" }, "is none of `http.get(…)`"],
])("the problem of %j is %s", (operation, problem) => {
  if (problem === undefined) expect(operationProblem(operation)).toBeUndefined();
  else expect(operationProblem(operation)).toContain(problem);
});

test("an argument that another copy of the package has marked is left out in some operations", async () => {
  const copy = new URL("operation-definition.ts?copy", import.meta.url).href;
  const { optional } = (await import(copy)) as typeof import("./operation-definition.ts");
  const notes = sample("order", http.post("/orders", { note: optional("soon") }));
  expect(new Set(notes.map(({ note }) => note))).toEqual(new Set([undefined, "soon"]));
});
