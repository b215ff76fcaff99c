import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { loadParser } from "../parser/sql.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { readUniqueColumns, type UniqueColumns } from "./most-rows.ts";
import { rowsLocked } from "./row-queries.ts";

const SCHEMA = `
create schema other;
create table t (id int primary key, a int, b int, unique (b, a), unique (a, b));
create table u (id int primary key);
create table other.u (n int primary key, id int);
create table twin (id int unique, n int);
create table other.twin (n int, id int unique);
create table w (id int primary key);
create view other.w as select id from t, generate_series(1, 2);
create table late (id int unique deferrable);
create table partial (id int);
create unique index on partial (id) where id > 5;
create table elder (id int primary key);
create table heir () inherits (elder);`;

let server: Server;
let unique: UniqueColumns;

beforeAll(async () => {
  await loadParser();
  server = await startServer(testPostgres);
  const { url } = await server.lease();
  const client = new Client(url);
  await client.connect();
  client.on("error", () => {});
  await client.query(SCHEMA);
  unique = await readUniqueColumns(client);
  await client.end();
});

afterAll(() => server?.stop());

test.each([
  ["select from t where id = $1 for update", 1],
  ["select from t where id in (1, 2) for update", 2],
  ["select from t where a = 1 and b = 2 for update", 1],
  ["select from t where a = 1 for update", Infinity],
  ["select from t for update limit 3", 3],
  ["select from t where id = 1 or id = 2 for update", Infinity],
  ["select from twin where id = 1 for update", 1],
])("a query that locks rows one by one has at most so many: %s: %d", (sql, rows) => {
  expect(rowsLocked(sql, { functions: new Set(), unique })).toBe(rows);
});

test.each([
  ["the limit admits ties", "select from t order by a fetch first 1 row with ties for update"],
  ["another schema has a table of this name", "select from u where id = 1 for update"],
  ["another schema has a view of this name", "select from w where id = 1 for update"],
  ["a WITH query has its name", "with t as (select) select f() from t where id = 1"],
  ["the index is checked late", "select from late where id = 1 for update"],
  ["the index has a condition", "select from partial where id = 1 for update"],
  ["the table has heirs", "select from elder where id = 1 for update"],
])("the number of rows is not known where %s", (_, sql) => {
  expect(rowsLocked(sql, { functions: new Set(["f"]), unique })).toBe(Infinity);
});
