import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { installGateFunction } from "./gate-function.ts";
import { GATE_KINDS, installGates } from "./inner-gates.ts";

const SCHEMA = `
create table t (id int primary key, v int not null);
create table audit (id int generated always as identity, what text not null);
create function count_up() returns int language plpgsql as $$
declare n int;
begin
  select coalesce(max(id), 0) + 1 into n from t;
  insert into t values (n, (select count(*) from t));
  return n;
end $$;
create function record() returns trigger language plpgsql as $$
begin
  insert into audit (what) values (tg_op || ' ' || new.id || ' ' || new.v);
  return new;
end $$;
create trigger record before insert or update on t for each row execute function record()`;

/** Statements whose results and effects gates must not change. */
const STATEMENTS = [
  "select count_up(), count_up()",
  "insert into t values (7, 1), (8, 2) returning *",
  "update t set v = v + 10 where id > 1 returning *",
  "delete from t where id = 7 returning *",
  "table t",
  "table audit",
];

let server: Server;
let url: string;
let client: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

beforeEach(async () => {
  ({ url } = await server.lease());
  client = new Client(url);
  await client.connect();
  await client.query(SCHEMA);
});

afterEach(() => client?.end());

afterAll(() => server?.stop());

/** The definitions of the routines and triggers of the schema under test. */
async function definitions(): Promise<unknown> {
  const { rows } = await client.query(`
    select pg_get_functiondef(p.oid) as definition from pg_proc p
     where pronamespace = 'public'::regnamespace
    union all
    select pg_get_triggerdef(t.oid) from pg_trigger t where not tgisinternal
    order by 1`);
  return rows;
}

async function outcomes(session: GatedClient): Promise<unknown> {
  await session.client.query("truncate t, audit restart identity");
  const results: unknown[] = [];
  for (const sql of STATEMENTS) {
    const { rows, rowCount } = await session.client.query(sql);
    results.push({ rows, rowCount });
  }
  return results;
}

describe.each(GATE_KINDS)("gates of the kind $level", (kind) => {
  test("change no outcome, whether they are disabled, or enabled and opened", async () => {
    const session = await GatedClient.open(url);
    const expected = await outcomes(session);
    await installGateFunction(client);
    const { places } = await kind.install(client, 5);
    expect(await outcomes(session)).toEqual(expected);
    expect(session.places).toEqual([]);
    await session.locks.enable(session.pid);
    expect(await outcomes(session)).toEqual(expected);
    const reached = [...new Set(session.places)].sort((a, b) => a - b);
    expect(reached).toEqual(places.map((_, index) => index + 5));
    await session.end();
  });

  test("are removed without a trace", async () => {
    const before = await definitions();
    await installGateFunction(client);
    await kind.install(client, 1);
    expect(await definitions()).not.toEqual(before);
    await kind.remove(client);
    expect(await definitions()).toEqual(before);
  });
});

test("the gates of all kinds are numbered consecutively", async () => {
  const gates = await installGates(url, ["statement", "row", "routine"]);
  expect([...gates.places]).toEqual([
    [1, { of: "count_up()", line: 4, next: expect.stringContaining("select coalesce") }],
    [2, { of: "count_up()", line: 5, next: expect.stringContaining("insert into t") }],
    [3, { of: "record()", line: 3, next: expect.stringContaining("insert into audit") }],
    [4, { of: "audit", line: null, next: "write a row" }],
    [5, { of: "t", line: null, next: "write a row" }],
  ]);
  await gates.close();
});

test("only gates of the given levels are installed", async () => {
  const gates = await installGates(url, ["statement", "row"]);
  expect([...gates.places.values()].map(({ of }) => of)).toEqual(["audit", "t"]);
  await gates.close();
});
