import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, withClient, withDatabase } from "./connection.ts";
import { startEmbedded } from "./embedded.ts";
import { type Database, type Server, startServer } from "./provider.ts";

let embedded: Server;
/** The URL of a superuser. */
let url: string;
/** A server by URL, on which Heddle is no superuser. */
let limited: Server;
beforeAll(async () => {
  embedded = await startEmbedded({ over: "tcp" });
  url = withDatabase((await embedded.lease()).url, "postgres");
  await withClient(url, (admin) =>
    admin.query("create role maker login createdb password 'maker'; create role reader"),
  );
  const maker = new URL(url);
  maker.username = "maker";
  maker.password = "maker";
  limited = await startServer(maker.href);
});
afterAll(async () => {
  await limited.stop();
  await embedded.stop();
});

const SETUP = (name: string) => `
  create table items (id serial primary key, stock int);
  insert into items (stock) values (3), (5);
  alter database ${name} set search_path = '', "Odd, name", public;
  alter database ${name} set application_name = 'it''s';
  alter role current_user in database ${name} set work_mem = '3MB';
  revoke connect on database ${name} from public;
  grant connect on database ${name} to reader with grant option`;

const STATE = `
  select (select array_agg(items) from public.items)::text as rows,
         'public.items'::regclass::oid as id,
         pg_get_userbyid(datdba) as owner, (select array_agg(acl::text order by acl::text) from unnest(datacl) as acl) as rights,
         current_setting('search_path') as path, current_setting('application_name') as application,
         current_setting('work_mem') as memory,
         (select count(*)::int from pg_db_role_setting where setdatabase = d.oid) as settings
    from pg_database d where datname = current_database()`;

async function stateOf({ ownerUrl }: Database) {
  return withClient(ownerUrl, async (client) => (await client.query(STATE)).rows[0]);
}

test.each([
  "superuser",
  "not a superuser",
])("a database is as it was saved, with its owner, rights and settings: %s", async (role) => {
  const database = await (role === "superuser" ? embedded : limited).lease();
  const { name, ownerUrl } = database;
  await withClient(ownerUrl, (client) => client.query(SETUP(name)));
  const before = await stateOf(database);
  expect(before).toMatchObject({
    path: '"", "Odd, name", public',
    application: "it's",
    memory: "3MB",
  });
  await database.save();
  for (let time = 0; time < 2; time++) {
    // A connection that stays open does not prevent it.
    const open = await connect(ownerUrl);
    await open.query("drop table public.items; create schema other");
    await database.restore();
    await open.end().catch(() => {});
    expect(await stateOf(database)).toEqual(before);
    await withClient(ownerUrl, async (client) => {
      const { rows } = await client.query(
        "insert into public.items (stock) values (1) returning id",
      );
      expect(rows).toEqual([{ id: 3 }]);
    });
  }
  await database.drop();
  expect(await databases()).not.toEqual(expect.arrayContaining([name, `${name}_copy`]));
});

test("a copy is swept with its database, and spared while that is in use", async () => {
  const database = await limited.lease();
  await database.save();
  const copy = `${database.name}_copy`;
  const left = "heddle_fedcba9876543210_copy";
  await withClient(url, async (admin) => {
    await admin.query(`create database ${left}`);
    await admin.query(`comment on database ${left} is 'Made by Heddle, and disposable'`);
  });
  await (await startServer(url)).stop();
  const found = await databases();
  expect(found).toContain(copy);
  expect(found).not.toContain(left);
  await database.drop();
  expect(await databases()).not.toContain(copy);
});

test("a database that was not saved cannot be restored", async () => {
  const database = await limited.lease();
  await expect(database.restore()).rejects.toThrow(/was not saved/);
  await database.drop();
});

async function databases(): Promise<string[]> {
  return withClient(url, async (admin) => {
    const { rows } = await admin.query<{ datname: string }>("select datname from pg_database");
    return rows.map(({ datname }) => datname);
  });
}
