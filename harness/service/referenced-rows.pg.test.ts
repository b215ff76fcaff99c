import { expect, test } from "vitest";
import { rowsOf, withClient } from "../postgres/connection.ts";
import { startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { ReferencedColumns, referents } from "./referenced-rows.ts";

test("references have the order of the model, whatever the collation of a column", async () => {
  const server = await startServer(testPostgres);
  try {
    const { url } = await server.lease();
    await withClient(url, async (client) => {
      await client.query(`
        create table items (id text collate "und-x-icu", number int);
        insert into items values ('a', 9), ('B', 10), ('ä', null), ('b', 10)`);
      const columns = await ReferencedColumns.of(["items.id", "items.number"], (sql, values) =>
        rowsOf(client, sql, values),
      );
      expect(Object.fromEntries(await columns.read())).toEqual({
        "items.id": referents(["a", "B", "ä", "b"]),
        "items.number": referents([9, 10, null]),
      });
    });
  } finally {
    await server.stop();
  }
});

test("keys that chance may choose have the order of their rows, the last one first", async () => {
  const server = await startServer(testPostgres);
  try {
    const { url } = await server.lease();
    await withClient(url, async (client) => {
      const ids = ["7", "1", "9"].map((digit) => `${digit}0000000-0000-4000-8000-000000000000`);
      await client.query(`
        create table items (id uuid primary key, name text);
        create table users (id text primary key, item uuid)`);
      await client.query("insert into items (id) select * from unnest($1::uuid[])", [ids]);
      await client.query(
        "insert into users values ('m', $1), ('a', $2), ('x', $1)",
        ids.slice(0, 2),
      );
      const columns = await ReferencedColumns.of(
        ["items.id", "items.name", "users.id", "users.item"],
        (sql, values) => rowsOf(client, sql, values),
      );
      expect(Object.fromEntries(await columns.read())).toEqual({
        "items.id": ids.toReversed(),
        "items.name": [],
        "users.id": ["x", "a", "m"],
        "users.item": ids.slice(0, 2),
      });
    });
  } finally {
    await server.stop();
  }
});

test("references are drawn from the ten greatest values, texts by their code units", () => {
  expect(referents(["a", "B", "ä", "b", "a", null])).toEqual(["ä", "b", "a", "B"]);
  const numbers = Array.from({ length: 12 }, (_, number) => number);
  expect(referents(numbers)).toEqual([11, 10, 9, 8, 7, 6, 5, 4, 3, 2]);
});
