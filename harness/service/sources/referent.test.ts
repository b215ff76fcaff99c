import { expect, test } from "vitest";
import type { CatalogColumn, SchemaCatalog } from "./catalog.ts";
import { type NamedValue, referentOf, singular, snakeCase } from "./referent.ts";

const column = (name: string, more: Partial<CatalogColumn> = {}): CatalogColumn => ({
  ...{ name, type: "integer", key: false, primary: false, refers: null, checks: [] },
  ...more,
});
const id = column("id", { key: true, primary: true });

const table = (name: string, ...columns: readonly CatalogColumn[]) => ({
  ...{ schema: "public", name, visible: true, columns },
});

const catalog: SchemaCatalog = {
  tables: [
    table("customers", id, column("email", { type: "text", key: true })),
    table("OrderLine", column("id", { type: "uuid", key: true, primary: true })),
    table("categories", column("category_no", { key: true, primary: true })),
    table("accounts", id, column("owner_id", { refers: "customers.id" })),
    { ...table("visits", id), schema: "stats", visible: false },
  ],
  functions: [],
  enums: {},
};

test.each([
  [{ name: "customer_id", kind: "integer" }, "customers.id"],
  [{ name: "customerId", kind: "integer" }, "customers.id"],
  [{ name: "p_customer_id", kind: "integer" }, "customers.id"],
  [{ name: "_customer_id", kind: "integer" }, "customers.id"],
  [{ name: "customer", kind: "integer" }, "customers.id"],
  [{ name: "from_customer_id", kind: "integer" }, "customers.id"],
  [{ name: "id", kind: "any", after: "customers" }, "customers.id"],
  [{ name: "customer-id", kind: "any", after: "shops" }, "customers.id"],
  [{ name: "orderLineId", kind: "uuid" }, "OrderLine.id"],
  [{ name: "id", kind: "any", after: "order-lines" }, "OrderLine.id"],
  [{ name: "category_id", kind: "integer" }, "categories.category_no"],
  [{ name: "owner_id", kind: "integer" }, "customers.id"],
  [{ name: "customer_email", kind: "text" }, "customers.email"],
  [{ name: "visit_id", kind: "integer" }, "stats.visits.id"],
  [{ name: "from", kind: "integer", description: "The id of the customer." }, "customers.id"],
] as const)("%j refers to %s", (value, referent) => {
  expect(referentOf(value as NamedValue, catalog)).toBe(referent);
});

test.each([
  // A name, and no key.
  { name: "customer", kind: "text" },
  { name: "customer_id", kind: "uuid" },
  { name: "id", kind: "integer" },
  { name: "quantity", kind: "integer" },
  { name: "id", kind: "any", after: "shops" },
  { name: "customer_name", kind: "text" },
  { name: "from", kind: "integer", description: "The id of the shop." },
] as const)("%j refers to no row", (value) => {
  expect(referentOf(value as NamedValue, catalog)).toBeUndefined();
});

test.each([
  ["orders", "order"],
  ["categories", "category"],
  ["boxes", "box"],
  ["addresses", "address"],
  ["address", "address"],
  ["status", "status"],
  ["order", "order"],
])("the singular of %s is %s", (plural, one) => {
  expect(singular(plural)).toBe(one);
});

test("names are compared in one case", () => {
  expect(["itemId", "item-id", "ItemID", "item_id"].map(snakeCase)).toEqual(
    Array(4).fill("item_id"),
  );
});
