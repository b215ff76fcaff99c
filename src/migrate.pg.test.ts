import { readdirSync } from "node:fs";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../harness/postgres/provider.ts";
import { testPostgres } from "../harness/postgres/server.fixture.ts";
import { migrate } from "./migrate.ts";

const files = readdirSync(new URL("../migrations", import.meta.url)).filter((f) =>
  f.endsWith(".sql"),
);

let server: Server;
let database: Client;
let url: string;

beforeAll(async () => {
  server = await startServer(testPostgres);
  url = (await server.lease()).url;
  database = new Client({ connectionString: url });
  await database.connect();
});
afterAll(async () => {
  await database?.end();
  await server?.stop();
});

async function names(sql: string): Promise<string[]> {
  const { rows } = await database.query<{ name: string }>(sql);
  return rows.map(({ name }) => name);
}

test("every migration runs once, even if several processes migrate at once or again", async () => {
  await Promise.all([migrate(url), migrate(url)]);
  await migrate(url);

  const applied = await names("select name from migrations.applied order by id");
  expect(applied.map((name) => `${name}.sql`)).toEqual(files.sort());
  expect(await names("select check_name as name from verify_booking_slot_consistency()")).toEqual([
    "unavailable_slot_without_booking",
    "slot_with_several_bookings",
    "booking_without_claimed_slot",
    "overlapping_bookings",
  ]);
});

test("a database that cannot be reached is an error", async () => {
  await expect(migrate("postgres://nobody@127.0.0.1:1/none")).rejects.toThrow("ECONNREFUSED");
});

/**
 * The objects without a comment. Leaves out objects of extensions, and NOT NULL, which Postgres 18
 * lists as a constraint.
 */
const WITHOUT_COMMENT = `
  with ours (class, id, name) as (
    select 'pg_class', oid, format('table %s', oid::regclass)
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('r', 'p', 'v', 'm')
    union all
    select 'pg_class', oid, format('index %s', oid::regclass)
      from pg_class where relnamespace = 'public'::regnamespace and relkind in ('i', 'I')
    union all
    select 'pg_constraint', oid, format('constraint %s of %s', conname, conrelid::regclass)
      from pg_constraint where connamespace = 'public'::regnamespace and contype <> 'n'
    union all
    select 'pg_proc', oid, format('function %s', oid::regprocedure)
      from pg_proc p
     where pronamespace = 'public'::regnamespace
       and not exists (select from pg_depend where objid = p.oid and deptype = 'e')
  )
  select name from ours where obj_description(id, class) is null order by name`;

test("every table, constraint, index and function has a comment", async () => {
  expect(await names(WITHOUT_COMMENT)).toEqual([]);
});

test("an object without a comment is found", async () => {
  await database.query(`
    create table bare (id int constraint bare_pkey primary key, n int constraint positive check (n > 0));
    create index bare_n on bare (n);
    create function bare_function() returns int language sql as 'select 1'`);

  expect(await names(WITHOUT_COMMENT)).toEqual([
    "constraint bare_pkey of bare",
    "constraint positive of bare",
    "function bare_function()",
    "index bare_n",
    "index bare_pkey",
    "table bare",
  ]);
});
