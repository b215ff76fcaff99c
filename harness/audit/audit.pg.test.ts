import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { audit } from "./audit.ts";

let server: Server;
let url: string;
let client: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
  ({ url } = await server.lease());
  client = new Client(url);
  await client.connect();
  await client.query(`
    create table accounts (id int primary key, owner text, balance int);
    insert into accounts values (1, 'Ada', 5), (2, 'Grace', 7);
    create function check_accounts() returns table (check_name text, account_id int, owner text)
      language sql as $$ select 'overdrawn', id, owner from accounts where balance < 0 $$;
    create function verify_accounts()
      returns table (check_name text, status text, violations bigint, details text) language sql
      as $$ select 'overdrawn', case count(*) when 0 then 'PASS' else 'FAIL' end, count(*), 'how many'
              from check_accounts() $$;
    create schema other;
    create function other.verify_writes() returns table (check_name text, status text) language sql
      as $$ insert into accounts values (3); select 'writes', 'PASS' $$;
    create function other.verify_slowly() returns table (check_name text, status text) language sql
      as $$ select 'slow', 'PASS' from pg_sleep(20) $$;
    create function other.verify_snapshot() returns table (check_name text, status text) language sql
      as $$ select current_setting('transaction_isolation'), current_setting('transaction_read_only') $$;
    create function other.verify_nothing() returns table (check_name text, status text) language sql
      as $$ select 'x', 'PASS' where false $$;
    create function other.verify_one(int) returns table (check_name text, status text) language sql
      as $$ select 'x', 'PASS' $$`);
});

afterAll(async () => {
  await client.end();
  await server.stop();
});

const defaults = { details: false, statementTimeoutMs: 5_000, rows: 10 };
const accounts = { ...defaults, functions: ["verify_accounts"] };

test("passes if all functions pass", async () => {
  expect(await audit(url, accounts)).toMatchObject({
    verdict: "pass",
    reason: null,
    checks: [
      {
        source: "verify_accounts",
        name: "overdrawn",
        verdict: "pass",
        violations: 0,
        details: null,
        offending: [],
      },
    ],
  });
});

test("reports offending rows, with ids only unless details are requested", async () => {
  await client.query("update accounts set balance = -1");
  const checks = async (options: object) => (await audit(url, { ...accounts, ...options })).checks;
  expect(await checks({})).toMatchObject([
    {
      verdict: "fail",
      violations: 2,
      details: null,
      offending: [{ account_id: 1 }, { account_id: 2 }],
    },
  ]);
  expect(JSON.stringify(await checks({}))).not.toContain("Ada");
  expect(await checks({ rows: 1, details: true })).toMatchObject([
    { violations: 2, details: "how many", offending: [{ account_id: 1, owner: "Ada" }] },
  ]);
  await client.query("update accounts set balance = 1");
});

test("reads one snapshot, and writes nothing", async () => {
  const functions = ["other.verify_snapshot"];
  const { checks } = await audit(url, { ...defaults, functions });
  expect(checks.map(({ name, verdict }) => [name, verdict])).toEqual([["repeatable read", "fail"]]);
  const written = await audit(url, {
    ...defaults,
    functions: ["verify_accounts", "verify_writes"],
  });
  expect(written.verdict).toBe("unknown");
  expect(written.reason).toContain("SQLSTATE 25006");
  expect((await client.query("select from accounts where id = 3")).rowCount).toBe(0);
});

test("the verdict is unknown if a statement exceeds its timeout", async () => {
  const functions = ["verify_slowly"];
  const { verdict, reason } = await audit(url, { ...defaults, functions, statementTimeoutMs: 50 });
  expect(verdict).toBe("unknown");
  expect(reason).toContain("SQLSTATE 57014");
});

test.each([
  ["verify_none"],
  ["verify_accounts", "verify_one"],
  ["other.verify_accounts"],
])("refuses %s, which is no check function", async (...functions) => {
  await expect(audit(url, { ...defaults, functions })).rejects.toMatchObject({ code: "USAGE" });
});

describe("executes only functions that belong to the auditing role or the database's owner", () => {
  let auditor: string;
  beforeAll(async () => {
    const database = await server.lease();
    const admin = new Client(database.url);
    await admin.connect();
    await admin.query(`
      create role stranger; create role auditor login password 'auditor';
      alter database ${database.name} owner to auditor;
      create schema low authorization stranger; grant usage on schema low to public;
      set role stranger;
      create function low.evil() returns table (check_name text, status text) language plpgsql as $$
        begin raise exception 'executed'; end $$;
      reset role`);
    await admin.end();
    const url = new URL(database.url);
    url.username = url.password = "auditor";
    auditor = url.href;
  });

  test("unless they are named", async () => {
    const refused = audit(auditor, defaults);
    await expect(refused).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringMatching(/low\.evil\(\) belongs to stranger.*--check/),
    });
    const named = await audit(auditor, { ...defaults, functions: ["low.evil"] });
    expect(named).toMatchObject({ verdict: "unknown", reason: "executed (SQLSTATE P0001)" });
  });

  test("and passes over the others where there are functions of its own", async () => {
    const own = new Client(auditor);
    await own.connect();
    await own.query(`create schema mine; create function mine.verify() returns table (check_name text, status text)
      language sql as $$ select 'mine', 'PASS' $$`);
    await own.end();
    const { checks } = await audit(auditor, defaults);
    expect(checks.map(({ name }) => name)).toEqual(["mine"]);
  });

  describe("also by name", () => {
    let admin: Client;
    let url: URL;
    beforeAll(async () => {
      const database = await server.lease();
      admin = new Client(database.url);
      await admin.connect();
      url = new URL(database.url);
      url.username = url.password = "auditor";
      await admin.query(`
        alter database ${database.name} owner to auditor;
        alter role auditor in database ${database.name} set search_path = public, pg_catalog;
        grant create on schema public to stranger;
        create schema mine authorization auditor;
        set role auditor;
        create table mine.notes (text varchar); insert into mine.notes values ('X');
        create function mine.check_notes() returns table (check_name text, id int) language sql
          as $$ select 'upper', 1 from mine.notes $$;
        create function mine.verify_notes() returns table (check_name text, status text) language sql
          as $$ select 'upper', lower(text) from mine.notes where 'check_notes()' <> '' $$;
        reset role`);
    });
    afterAll(() => admin.end());

    /** Creates what a stranger may have created; it would be executed as the auditing role. */
    const plant = (arguments_: string, operator: string) =>
      admin.query(`set role stranger;
        create function public.evil(${arguments_}) returns text language plpgsql as $$
          begin raise exception 'executed'; end $$;
        ${operator}; reset role`);

    const cured = /belongs to stranger.*search_path.*--check/;
    test.each([
      [
        "the function current_setting",
        "text",
        "alter function public.evil rename to current_setting",
      ],
      [
        "the operator ||",
        "name, text",
        "create operator public.|| (function = evil, leftarg = name, rightarg = text)",
      ],
      [
        "the operator -",
        "jsonb, text",
        "create operator public.- (function = evil, leftarg = jsonb, rightarg = text)",
      ],
      ["a function for a closer type", "varchar", "alter function public.evil rename to lower"],
    ])("%s", async (_, arguments_, operator) => {
      await plant(arguments_, operator);
      try {
        await expect(audit(url.href, defaults)).rejects.toMatchObject({
          code: "USAGE",
          message: expect.stringMatching(cured),
        });
        const named = await audit(url.href, { ...defaults, functions: ["mine.verify_notes"] });
        const closer = operator.includes("lower");
        expect(named.reason).toBe(closer ? "executed (SQLSTATE P0001)" : null);
        if (!closer) expect(named.checks).toMatchObject([{ offending: [{ id: 1 }] }]);
      } finally {
        await admin.query("drop owned by stranger; grant create on schema public to stranger");
      }
    });

    /** A check function of the auditing role in the schema `mine`. */
    const checking = (query: string, settings = "") =>
      `create function mine.verify_read() returns table (check_name text, status text) language plpgsql ${settings}
         as $$ begin return query ${query}; end $$`;
    const read = "select 'read', max(id)::text from";
    const evil = `create function low.evil(int) returns int language plpgsql immutable as $$
      begin if current_user = 'auditor' then raise exception 'executed'; end if; return $1; end $$;
      grant execute on function low.evil to public;`;
    const lowView =
      "create view low.v as select low.evil(1) as id; grant select on low.v to public;";
    test.each([
      ["a view that a check names with its schema", lowView, checking(`${read} "low" . V`)],
      [
        "a view that a view of its own reads",
        lowView,
        `create view mine.around as select * from low.v; ${checking(`${read} mine.around`)}`,
      ],
      [
        "a view in a search path that a check sets",
        lowView,
        checking(`${read} v`, "set search_path = low"),
      ],
      [
        "a table with an index that the planner reads",
        `create table low.v (id int); create index on low.v ((low.evil(1))); grant select on low.v to public;`,
        checking(`${read} low.v where low.v.id > 0`),
      ],
      [
        "a domain",
        `create domain low.d as int check (low.evil(value) > 0);`,
        checking("select 'read', 1::low.d::text"),
      ],
      [
        "a function that a check names with its schema",
        "",
        checking("select 'read', low.evil(1)::text"),
      ],
    ])("%s", async (_, planted, own) => {
      await admin.query(`create schema low authorization stranger; grant usage on schema low to public;
        set role stranger; ${evil} ${planted} set role auditor; ${own}; reset role`);
      try {
        await expect(audit(url.href, defaults)).rejects.toMatchObject({
          code: "USAGE",
          message: expect.stringMatching(cured),
        });
        const named = await audit(url.href, { ...defaults, functions: ["mine.verify_read"] });
        expect(named.reason).toBe("executed (SQLSTATE P0001)");
      } finally {
        await admin.query(`drop function mine.verify_read; drop view if exists mine.around;
          drop schema low cascade`);
      }
    });

    test("and reads no table whose row security hides rows, nor runs its policy", async () => {
      await admin.query(`create table public.t (id int); insert into public.t values (1);
        create policy p on public.t using (id > 1); alter table public.t enable row level security;
        grant select on public.t to public;
        set role auditor; ${checking(`${read} public.t`)}; reset role`);
      try {
        const { verdict, reason } = await audit(url.href, {
          ...defaults,
          functions: ["mine.verify_read"],
        });
        expect(verdict).toBe("unknown");
        expect(reason).toContain("row-level security");
      } finally {
        await admin.query("drop function mine.verify_read; drop table public.t");
      }
    });

    test("and reads the tables of other roles that hold no code", async () => {
      await admin.query(`set role stranger; create table public.plain (id int primary key, check (id > 0));
        insert into public.plain values (1); grant select on public.plain to public;
        set role auditor; ${checking("select 'read', 'PASS' from public.plain")}; reset role`);
      try {
        expect((await audit(url.href, defaults)).checks.map(({ name }) => name)).toContain("read");
      } finally {
        await admin.query("drop function mine.verify_read; drop table public.plain");
      }
    });
  });

  test.each([
    "superuser",
    "in role pg_execute_server_program",
  ])("and refuses a role that could run programs: %s", async (rights) => {
    const name = `mighty_${rights.length}`;
    await client.query(`create role ${name} login password '${name}' ${rights}`);
    const mighty = new URL(url);
    mighty.username = mighty.password = name;
    await expect(audit(mighty.href, defaults)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("--check"),
    });
  });
});

test("refuses a function that returns no rows", async () => {
  const functions = ["verify_nothing"];
  await expect(audit(url, { ...defaults, functions })).rejects.toMatchObject({ code: "USAGE" });
});

test("refuses a database without check functions, or one that cannot be reached", async () => {
  const empty = await server.lease();
  await expect(audit(empty.url, defaults)).rejects.toMatchObject({ code: "USAGE" });
  await empty.drop();
  await expect(audit(empty.url, defaults)).rejects.toMatchObject({ code: "PROVIDER_FAILED" });
});
