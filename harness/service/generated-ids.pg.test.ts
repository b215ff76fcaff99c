import { afterAll, beforeAll, expect, test } from "vitest";
import { withClient } from "../postgres/connection.ts";
import { type Database, type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import {
  existingIds,
  idColumnsOf,
  idFieldsOf,
  idsInAnswer,
  kindOfColumn,
  moveSequencesApart,
} from "./generated-ids.ts";
import type { ClientQuery } from "./scenario-definition.ts";

let server: Server;
let database: Database;

beforeAll(async () => {
  server = await startServer(testPostgres);
  database = await server.lease();
  await query(`
    create schema sales;
    create table customers (id serial primary key, code text unique);
    create table sales.orders (
      id int generated always as identity primary key,
      customer_id int not null references customers,
      customer_code text references customers (code),
      amount int not null
    );
    create table sales.lines (
      order_id int references sales.orders,
      number int,
      token uuid default gen_random_uuid(),
      primary key (order_id, number)
    );
    create table notes (order_id int, line int, foreign key (order_id, line) references sales.lines);
    create table countries (code text primary key);`);
});

afterAll(async () => {
  await server?.stop();
});

const query: ClientQuery = (sql, values = []) =>
  withClient(database.url, async (client) => (await client.query(sql, [...values])).rows);

test("the catalog says which columns hold generated ids, and through which foreign keys", async () => {
  const fields = idFieldsOf(await idColumnsOf(query));
  expect(fields).toEqual({
    "public.customers": { id: "customers.id" },
    "sales.orders": { id: "orders.id", customer_id: "customers.id" },
    "sales.lines": { order_id: "orders.id", token: "lines.token" },
    "public.notes": { order_id: "orders.id" },
  });
  expect(kindOfColumn(fields, "notes.order_id")).toBe("orders.id");
  expect(kindOfColumn(fields, "sales.orders.id")).toBe("orders.id");
  expect(kindOfColumn(fields, "countries.code")).toBe("countries.code");
});

test("sequences that are moved apart give each id to one column, and answers show where ids are", async () => {
  const columns = await idColumnsOf(query);
  await moveSequencesApart(query);
  await query("insert into customers (code) values ('a')");
  await query("insert into sales.orders (customer_id, amount) select id, 3 from customers");
  const ids = await existingIds(query, columns);
  const [order] = await query("select id, customer_id from sales.orders");
  expect(ids.get(String(order?.["id"]))).toBe("orders.id");
  expect(ids.get(String(order?.["customer_id"]))).toBe("customers.id");
  const answer = {
    order: { id: order?.["id"] ?? 0, amount: 3 },
    buyer: order?.["customer_id"] ?? 0,
  };
  expect(idsInAnswer(answer, "buy", (id) => ids.get(id))).toEqual([
    { of: "order", field: "id", kind: "orders.id" },
    { of: "buy", field: "buyer", kind: "customers.id" },
  ]);
  expect(idsInAnswer([answer.order, null, "x"], "list", (id) => ids.get(id))).toEqual([
    { of: "list", field: "id", kind: "orders.id" },
  ]);
});
