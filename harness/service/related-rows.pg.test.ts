import { afterAll, beforeAll, expect, test } from "vitest";
import type { Json } from "../core/json.ts";
import { openClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { ReferencedColumns } from "./referenced-rows.ts";
import { RelatedRows } from "./related-rows.ts";
import type { ReferencedRows } from "./row-reference.ts";

let server: Server;
let stop: () => Promise<void>;
let related: RelatedRows;
let rows: ReferencedRows;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const database = await server.lease();
  const client = await openClient(database.url);
  stop = async () => {
    await client.end();
    await database.drop();
    await server.stop();
  };
  await client.query(`
    create table items (id int primary key);
    create table "Order" (id int primary key, item_id int references items);
    create table notes (id int primary key, about int references items);
    create table others (id int primary key);
    insert into items values (1), (2), (3);
    insert into "Order" values (11, 1), (12, 3), (13, 3);
    insert into notes values (21, 1);
    insert into others values (1);
  `);
  const query = async (sql: string, values: readonly unknown[] = []) =>
    (await client.query<{ [name: string]: Json }>(sql, [...values])).rows;
  const names = ["items.id", "Order.id", "notes.id", "others.id"];
  const referenced = await ReferencedColumns.of(names, query);
  related = await RelatedRows.of(query, referenced.columns);
  rows = await referenced.read();
});

afterAll(() => stop?.());

const on = (of: `${string}.${string}`, row: number) => ({ name: of, id: { of, row } });

test.each([
  // The greatest values come first.
  ["the item of an order", on("Order.id", 0), "items.id", 0],
  ["the item of another order", on("Order.id", 2), "items.id", 2],
  ["the newest order of an item", on("items.id", 0), "Order.id", 0],
  ["an order of the item that a note is about", on("notes.id", 0), "Order.id", 2],
] as const)("%s is found", async (_, one, of, row) => {
  expect(await related.related(one, on(of, 1), rows)).toEqual(on(of, row));
});

test.each([
  ["an item without an order", on("items.id", 1), "Order.id"],
  ["a table without foreign keys", on("others.id", 0), "items.id"],
  ["the same table", on("items.id", 0), "items.id"],
  ["a row that there is not", on("Order.id", 7), "items.id"],
] as const)("nothing belongs to %s", async (_, one, of) => {
  expect(await related.related(one, on(of, 1), rows)).toBeUndefined();
});
