import { Client } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { GatedClient } from "./gate-driver.fixture.ts";
import { installGateFunction } from "./gate-function.ts";
import { lockGates } from "./lock-gates.ts";

const SCHEMA = `
create table parent (id int primary key);
insert into parent values (1), (2), (3);
create table child (id int primary key, a int references parent, b int references parent);
create table "Late child" (id int primary key, "the a" int references parent deferrable initially deferred);
create table parts (id int, a int references parent) partition by list (id);
create table part_1 partition of parts for values in (1);
create table part_2 partition of parts for values in (2);
create table echo (id int, a int references parent);
create function echo() returns trigger language plpgsql as $$
begin insert into echo values (new.id, 3); return null; end $$;
create trigger z after insert on part_1 for each row execute function echo();
create function twice() returns void language plpgsql as $$
begin insert into child values (7, 1); insert into child values (8, 2); end $$;`;

let server: Server;
let client: Client;
let session: GatedClient;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

beforeEach(async () => {
  const { url } = await server.lease();
  client = new Client(url);
  await client.connect();
  await client.query(SCHEMA);
  await installGateFunction(client);
  await lockGates.install(client, 1);
  session = await GatedClient.open(url);
  await session.locks.enable(session.pid);
});

afterEach(async () => {
  await session?.end();
  await client?.end();
});

afterAll(() => server?.stop());

/** Statements, and how many gates they meet: one for each check of a foreign key after the first. */
const GATES: { readonly [sql: string]: number } = {
  "insert into child values (1, 1)": 0,
  "insert into child values (1, 1, 2)": 1,
  "insert into child values (1, 1, 2), (2, null, 3)": 2,
  "insert into child values (1), (2); update child set id = id + 5": 0,
  "insert into child values (1), (2), (3); update child set a = id": 2,
  "insert into child values (1, 1), (2, 2) on conflict (id) do update set a = 3": 1,
  "insert into parts values (1, 1)": 0,
  "insert into parts values (1, 1), (2, 2)": 1,
  "insert into part_2 values (2, 1), (2, 2)": 1,
  "insert into echo values (1, 1), (2, 2), (3, 3)": 2,
  "select twice()": 0,
  "with x as (insert into echo values (1, 1)) insert into parts values (2, 2)": 1,
  'insert into "Late child" values (1, 1), (2, 2)': 1,
  'insert into "Late child" values (1, 1), (2, 2); update "Late child" set id = id + 5': 3,
};

test.each(Object.entries(GATES))("%s meets %i gates", async (sql, gates) => {
  await session.ask(sql);
  expect(session.places).toHaveLength(gates);
});

test.each([
  ["insert into child values (1, 1), (2, 2)", "select"],
  ["insert into child values (1, 1, 2)", "select"],
  ['begin; insert into "Late child" values (1, 1), (2, 2)', "commit"],
  [
    'begin; insert into "Late child" values (1, 1), (2, 2); update "Late child" set id = id + 5',
    "commit",
  ],
  ["insert into parts values (1, 1), (2, 2)", "select"],
])("the gates of %s stand between the locks of the rows referred to", async (sql, last) => {
  const locked = async (id: number) =>
    client.query("select from parent where id = $1 for update nowait", [id]).then(
      () => false,
      ({ code }: { code: string }) => code === "55P03",
    );
  session.automatic = false;
  const answered = session.ask(`${sql}; ${last}`);
  const seen: string[] = [];
  for (let passed = false; !passed; ) {
    await session.reached();
    seen.push(`${await locked(1)} ${await locked(2)}`);
    await session.go();
    passed = await Promise.race([answered.then(() => true), session.reached().then(() => false)]);
  }
  expect(seen).toContain("true false");
  expect(seen).not.toContain("false true");
});
