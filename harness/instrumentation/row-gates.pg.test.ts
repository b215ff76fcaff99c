import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Database, type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { installRowGates, removeRowGates } from "./row-gates.ts";

let server: Server;
let database: Database;
let direct: Client;
let sessions: GatedClient[];

beforeAll(async () => {
  server = await startServer(testPostgres);
});

beforeEach(async () => {
  database = await server.lease();
  direct = new Client(database.url);
  await direct.connect();
  await direct.query(`
    create table claim (slot int);
    create table "Other" (i int, s text) partition by list (i);
    create table other_1 partition of "Other" for values in (1);
    create table other_2 partition of "Other" for values in (2, 3);`);
  sessions = await Promise.all([GatedClient.open(database.url), GatedClient.open(database.url)]);
  for (const session of sessions) {
    session.automatic = false;
    await session.locks.enable(session.pid);
  }
});

afterEach(async () => {
  for (const session of sessions ?? []) await session.end();
  await direct?.end();
});

afterAll(() => server?.stop());

const CLAIM = "insert into claim select 1 where not exists (select from claim where slot = 1)";

const count = async () =>
  (await direct.query<{ n: number }>("select count(*)::int as n from claim")).rows[0]?.n;

test("two claims that each check first both succeed, every time", async () => {
  const gates = await installRowGates(direct, { tables: ["claim"] });
  expect(gates).toEqual([{ place: 1, table: "claim" }]);
  const [first, second] = sessions;
  for (let i = 0; i < 20; i++) {
    const done = sessions.map(({ client }) => client.query(CLAIM));
    for (const session of sessions) expect(await session.reached()).toBe(1);
    await first?.go();
    await done[0];
    await second?.go();
    await done[1];
    expect(await count()).toBe(2);
    await direct.query("truncate claim");
  }
});

test("of two claims in sequence only the first succeeds, and with gates disabled none waits", async () => {
  await installRowGates(direct, { tables: ["claim"] });
  for (const { client, locks, pid } of sessions) {
    await locks.disable(pid);
    await client.query(CLAIM);
  }
  expect(await count()).toBe(1);
  expect(sessions.flatMap(({ places }) => places)).toEqual([]);
});

test("the gate fires after the application's own triggers", async () => {
  await direct.query(`
    create function look() returns trigger language plpgsql as $$
      begin if exists (select from claim where slot = new.slot) then return null; end if; return new; end $$;
    create trigger zz_look before insert on claim for each row execute function look()`);
  await installRowGates(direct, { tables: ["claim"] });
  const done = sessions.map(({ client }) => client.query("insert into claim values (1)"));
  for (const session of sessions) await session.reached();
  for (const session of sessions) await session.go();
  await Promise.all(done);
  expect(await count()).toBe(2);
});

test("gates do not change rows, results or moves between partitions", async () => {
  const [session] = sessions;
  if (session === undefined) throw new Error("no session");
  session.automatic = true;
  const outcome = async () => {
    const answers: unknown[] = [];
    for (const sql of [
      `insert into "Other" values (1, 'a'), (2, 'b') returning *`,
      `update "Other" set i = 3, s = s || 'x' where i <= 2 returning *`,
      `insert into "Other" select i, null from "Other" returning *`,
      `delete from "Other" where s is null returning *`,
      `table "Other"`,
      `truncate "Other"`,
    ]) {
      const { rows, rowCount } = await session.client.query(sql);
      answers.push({ rows, rowCount });
    }
    return answers;
  };
  const plain = await outcome();
  expect(session.places).toEqual([]);
  const tables = ['"Other"', "claim", '"Other"'];
  expect(await installRowGates(direct, { first: 7, tables })).toEqual([
    { place: 7, table: '"Other"' },
    { place: 8, table: "claim" },
  ]);
  expect(await outcome()).toEqual(plain);
  expect(new Set(session.places)).toEqual(new Set([7]));
});

test("gates are installed and removed per table", async () => {
  const [session] = sessions;
  await installRowGates(direct, { tables: ["claim", '"Other"'] });
  await removeRowGates(direct, ["claim"]);
  await session?.client.query("insert into claim values (1)");
  const done = session?.client.query(`insert into "Other" values (1)`);
  expect(await session?.reached()).toBe(1);
  await session?.go();
  await done;
  await removeRowGates(direct);
  const { rows } = await direct.query("select from pg_trigger");
  expect(rows).toEqual([]);
});

test("a table that does not exist is an error", async () => {
  await expect(installRowGates(direct, { tables: ["nowhere"] })).rejects.toThrow("nowhere");
});
