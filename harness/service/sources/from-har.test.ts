import fc from "fast-check";
import { expect, test } from "vitest";
import type { Json } from "../../core/json.ts";
import type { RecordedRequest } from "../har.ts";
import { arbitraryOf, requestOf } from "../operation-definition.ts";
import type { CatalogColumn, SchemaCatalog } from "./catalog.ts";
import { operationsOf } from "./from-har.ts";

const column = (name: string, change: Partial<CatalogColumn> = {}): CatalogColumn => ({
  ...{ name, type: "integer", key: false, primary: false, refers: null, checks: [] },
  ...change,
});
const key = { key: true, primary: true };
const table = (name: string, ...columns: CatalogColumn[]) => ({
  ...{ schema: "public", name, visible: true, columns },
});
const catalog: SchemaCatalog = {
  tables: [
    table("items", column("id", key)),
    table("orders", column("id", key), column("item_id", { refers: "items.id" })),
    table("carts", column("id", { ...key, type: "uuid" })),
  ],
  functions: [],
  enums: {},
};

const CART = "0b54a3f2-8c1e-4c52-9f6e-9d0f5f1b2c3d";

const request = (
  method: string,
  path: string,
  body?: Json,
  change: Partial<RecordedRequest> = {},
): RecordedRequest => ({
  ...{ startedAt: "2030-01-01T00:00:00Z", method, url: `http://localhost:3000${path}` },
  ...{ headers: {}, status: 200, type: "application/json" },
  body: body === undefined ? undefined : JSON.stringify(body),
  ...change,
});

/** Some operations that are generated for each name. */
function generated(requests: readonly RecordedRequest[]): {
  readonly [name: string]: readonly Json[];
} {
  const entries = Object.entries(operationsOf(requests, catalog)).map(([name, operation]) => {
    const all = fc.sample(arbitraryOf(name, operation), { seed: 1, numRuns: 60 });
    const distinct = new Map(all.map(({ name: _, ...values }) => [JSON.stringify(values), values]));
    return [name, [...distinct.values()]] as const;
  });
  return Object.fromEntries(entries);
}

test("requests of one path are one operation, in the order of the recording", () => {
  const names = Object.keys(
    operationsOf(
      [
        request("POST", "/orders", { item: 1 }),
        request("GET", "/orders/1?full=yes"),
        request("POST", "/orders/2/cancel"),
        request("POST", "/orders", { item: 2 }),
        request("POST", "/orders", { item: 2, note: "soon" }),
        request("DELETE", "/orders/3"),
      ],
      catalog,
    ),
  );
  expect(names).toEqual([
    "POST /orders",
    "GET /orders/:id",
    "POST /orders/:id/cancel",
    "POST /orders {item, note}",
    "DELETE /orders/:id",
  ]);
});

test("ids are rows by the name of the argument, by the path, or by the answer that they come from", () => {
  const operations = generated([
    request("POST", "/carts", {}, { answer: JSON.stringify({ id: CART }) }),
    request("PUT", `/carts/${CART}/lines/3`, { itemId: 1, quantity: 2 }),
    request("POST", "/checkout", { of: CART, lines: [{ item: 1, count: 2 }] }),
  ]);
  const rows = (of: string) => expect.objectContaining({ of, row: expect.any(Number) });
  expect(operations["PUT /carts/:cart_id/lines/:line_id"]).toContainEqual({
    ...{ cart_id: rows("carts.id"), line_id: "3", itemId: rows("items.id"), quantity: 2 },
  });
  expect(operations["POST /checkout"]).toContainEqual({
    ...{ of: rows("carts.id"), lines: [{ item: rows("items.id"), count: 2 }] },
  });
});

test("other values are those that were recorded, and so are the client's own headers", () => {
  const headers = { authorization: "Bearer one", accept: "*/*", "x-forwarded-for": "::1" };
  const operations = generated([
    request("POST", "/orders", { item: 1, size: "s" }, { headers }),
    request("POST", "/orders", { item: 1, size: "l" }, { headers }),
  ]);
  const sizes = operations["POST /orders"]?.map((one) => (one as { size: string }).size);
  expect(new Set(sizes)).toEqual(new Set(["s", "l"]));
  for (const one of operations["POST /orders"] ?? []) {
    expect(Object.keys(one as object)).toEqual(["item", "size", "header authorization"]);
  }
});

test("forms, lists and texts are sent as they were recorded", () => {
  const sent = (path: string, type: string, body: string) =>
    request("POST", path, undefined, {
      headers: { "content-type": type },
      body,
      type: "text/html",
    });
  const operations = operationsOf(
    [
      sent("/orders", "application/x-www-form-urlencoded", "item_id=1&tag=a&tag=b"),
      sent("/carts", "multipart/form-data; boundary=x", '--x\r\nname="n"\r\n\r\n1\r\n--x--\r\n'),
      sent("/imports", "text/csv", "a,b"),
      sent("/beacons", "text/plain", '{"item":1}'),
      request("PUT", "/lists", [1, 2]),
    ],
    catalog,
  );
  expect(operations).toMatchObject({
    "POST /orders": { type: "form" },
    "POST /carts": { type: "multipart" },
    "POST /imports": { type: "text" },
    "PUT /lists": { http: { body: "body" } },
  });
  expect(operations["POST /beacons"]?.type).toBeUndefined();
  const requests = Object.entries(operations).map(([name, operation]) => {
    const [one] = fc.sample(arbitraryOf(name, operation), { seed: 1, numRuns: 1 });
    const { headers, body } = requestOf(operation, one ?? { name });
    return [headers["content-type"], body];
  });
  expect(requests).toEqual([
    [undefined, { item_id: expect.objectContaining({ of: "items.id" }), tag: ["a", "b"] }],
    [undefined, { n: "1" }],
    ["text/csv", "a,b"],
    [undefined, { item: expect.anything() }],
    [undefined, [1, 2]],
  ]);
});

test("what was refused, what cannot be read, and what is for another server is left out", () => {
  const elsewhere = { url: "http://tracker.example/orders" };
  const operations = operationsOf(
    [
      request("POST", "/orders", { item: 1 }),
      request("GET", "/orders"),
      request("POST", "/carts", {}, { status: 409 }),
      request("POST", "/forms", undefined, { body: "a=1" }),
      request("GET", "/page", undefined, { type: "text/html; charset=utf-8" }),
      request("GET", "/page.js", undefined, { type: "text/javascript" }),
      request("OPTIONS", "/orders"),
      request("POST", "/orders", { other: 1 }, elsewhere),
    ],
    catalog,
  );
  expect(Object.keys(operations)).toEqual(["POST /orders", "GET /orders"]);
});
