import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { deriveMutants } from "./derivation.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

/** The derivation of a schema, and a connection to a database with it. */
async function derived(schema: string) {
  const client = new Client((await server.lease()).url);
  await client.connect();
  await client.query(schema);
  return { client, derivation: await deriveMutants(client) };
}

const SEATS = `
  create table rows (id int generated always as identity primary key);
  create table seats (
    id int primary key, row_id int references rows, "no" int not null check ("no" > 0),
    taken boolean default false, constraint seats_once unique (row_id, "no"),
    exclude using btree (id with =)
  );
  create unique index seats_taken on seats (row_id) where taken;
  create index seats_row on seats (row_id);
  create domain colour as text constraint known check (value in ('red', 'blue'));
  create function touch() returns trigger language plpgsql as 'begin return new; end';
  create trigger touched before update on seats for each row execute function touch();
  create function take(p int) returns void language plpgsql
    set default_transaction_isolation = 'repeatable read'
  as $$
  begin
    perform from seats where id = p for update;
    update seats set taken = true where id = p;
  end
  $$;
  create function take(p text) returns bigint language sql
    as 'select count(*) from seats where taken';`;

test("mutants of constraints, indexes, triggers and routines", async () => {
  const { client, derivation } = await derived(SEATS);
  expect(derivation.mutants.map(({ id }) => id)).toEqual([
    "drop-constraint colour.known",
    "drop-constraint seats.seats_id_excl",
    "drop-constraint seats.seats_no_check",
    "drop-constraint seats.seats_once",
    "drop-constraint seats.seats_pkey",
    "drop-constraint seats.seats_row_id_fkey",
    "drop-index seats_taken",
    "drop-not-null seats.no",
    "drop-trigger seats.touched",
    "weaken-isolation take(integer)",
    "delete-statement take(integer): perform from seats where id = p for update;",
    "negate-condition take(integer): where id = p",
    "strip-lock take(integer): for update",
    "delete-statement take(integer): update seats set taken = true where id = p;",
    "negate-condition take(integer): where id = p (2)",
    "negate-condition take(text): where taken",
    "delete-statement touch: return new;",
  ]);
  expect(derivation.unmutated).toEqual([]);
  const ddl = new Map(derivation.mutants.map((mutant) => [mutant.id, mutant.ddl]));
  expect(ddl.get("drop-constraint colour.known")).toBe("alter domain colour drop constraint known");
  expect(ddl.get("drop-constraint seats.seats_once")).toBe(
    "alter table seats drop constraint seats_once",
  );
  expect(ddl.get("drop-index seats_taken")).toBe("drop index seats_taken");
  expect(ddl.get("drop-not-null seats.no")).toBe("alter table seats alter column no drop not null");
  expect(ddl.get("drop-trigger seats.touched")).toBe("drop trigger touched on seats");
  expect(ddl.get("weaken-isolation take(integer)")).toBe(
    "alter routine take(integer) set default_transaction_isolation = 'read committed'",
  );
  expect(ddl.get("strip-lock take(integer): for update")).toBe(`\
CREATE OR REPLACE FUNCTION public.take(p integer)
 RETURNS void
 LANGUAGE plpgsql
 SET default_transaction_isolation TO 'repeatable read'
AS $function$
  begin
    perform from seats where id = p ;
    update seats set taken = true where id = p;
  end
  $function$`);
  await client.end();
});

test("mutants that the server rejects are invalid, and leave the schema as it was", async () => {
  const { client, derivation } = await derived(SEATS);
  expect(derivation.invalid.map(({ mutant, reason }) => [mutant.id, reason])).toEqual([
    [
      "drop-constraint rows.rows_pkey",
      "cannot drop constraint rows_pkey on table rows because other objects depend on it",
    ],
  ]);
  expect((await deriveMutants(client)).mutants).toEqual(derivation.mutants);
  await client.end();
});

test("each mutant's script makes the change that its id names", async () => {
  const { client, derivation } = await derived(SEATS);
  for (const { id, ddl } of derivation.mutants) {
    await client.query("begin");
    await client.query(ddl);
    await client.query("savepoint changed");
    const left = await readIds(client);
    expect(left).not.toContain(id);
    await client.query("rollback");
  }
  await client.end();
});

async function readIds(client: Client): Promise<readonly string[]> {
  const { rows } = await client.query<{ ids: string[] }>(`
    select array(
      select 'drop-constraint ' || conrelid::regclass || '.' || conname from pg_constraint
       where conrelid <> 0
      union all select 'drop-constraint ' || contypid::regtype || '.' || conname
        from pg_constraint where contypid <> 0
      union all select 'drop-index ' || indexrelid::regclass from pg_index
      union all select 'drop-not-null ' || attrelid::regclass || '.' || attname
        from pg_attribute where attnotnull
      union all select 'drop-trigger ' || tgrelid::regclass || '.' || tgname from pg_trigger
      union all select 'weaken-isolation ' || oid::regprocedure from pg_proc
        where 'default_transaction_isolation=repeatable read' = any (proconfig)
    ) as ids`);
  return rows[0]?.ids ?? [];
}

describe("several changes together", () => {
  const locks = "strip-lock take(integer): for update";
  const first = "negate-condition take(integer): where id = p";
  const second = "negate-condition take(integer): where id = p (2)";

  test("change one routine in several places", async () => {
    const { client, derivation } = await derived(SEATS);
    const lines = { routine: "take(integer)", text: "begin", becomes: "begin perform 1;" };
    const changes = [second, "drop-index seats_taken", locks, lines, first];
    await client.query(derivation.combined(changes));
    const { rows } = await client.query(
      "select prosrc, to_regclass('seats_taken') as index from pg_proc where proname = 'take'",
    );
    expect(rows[0]).toEqual({
      prosrc: `
  begin perform 1;
    perform from seats where not (id = p) ;
    update seats set taken = true where not (id = p);
  end
  `,
      index: null,
    });
    await client.end();
  });

  test("do not overlap, and all exist", async () => {
    const { client, derivation } = await derived(SEATS);
    const statement = "delete-statement take(integer): perform from seats where id = p for update;";
    expect(() => derivation.combined([locks, statement])).toThrow(RangeError);
    expect(() => derivation.combined(["strip-lock take: for update"])).toThrow(RangeError);
    for (const [routine, text] of [
      ["take(integer)", "p_none"],
      ["take(integer)", "where"],
      ["give", "where"],
    ] as const) {
      expect(() => derivation.combined([{ routine, text, becomes: "" }])).toThrow(RangeError);
    }
    await client.end();
  });
});

test("the parts that cannot be mutated are listed", async () => {
  const { client, derivation } = await derived(`
    create table t (i int);
    create function atomic() returns int begin atomic select 1; end;
    create function cursor(c refcursor) returns void language plpgsql
      as 'begin delete from t where current of c; end';`);
  expect(derivation.unmutated).toEqual([
    { object: "atomic", reason: "its body was parsed when it was created (BEGIN ATOMIC, RETURN)" },
    { object: "cursor", reason: "1 of its changes could not be found in its text" },
  ]);
  await client.end();
});
