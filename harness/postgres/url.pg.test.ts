import { dirname } from "node:path";
import type pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exists } from "./cache.ts";
import { connect, withDatabase } from "./connection.ts";
import { startEmbedded } from "./embedded.ts";
import { processes } from "./harness-process.fixture.ts";
import { type Server, startServer } from "./provider.ts";

/** A server that is running already, and a superuser's session on it. */
let existing: Server;
let url: string;
let admin: pg.Client;
beforeAll(async () => {
  existing = await startEmbedded({ over: "tcp" });
  url = withDatabase((await existing.lease()).url, "postgres");
  admin = await connect(url);
  await admin.query("create role plain login password 'plain'");
  await admin.query("create role maker login createdb password 'maker'");
});
afterAll(async () => {
  await admin.end();
  await existing.stop();
});

function as(role: string): string {
  const other = new URL(url);
  other.username = role;
  other.password = role;
  return other.href;
}

async function names(query: string): Promise<string[]> {
  const { rows } = await admin.query<{ name: string }>(query);
  return rows.map(({ name }) => name);
}
const databases = () => names("select datname as name from pg_database order by 1");

describe("a role that", () => {
  test("is a superuser has lock waits pushed", async () => {
    const server = await startServer(url);
    expect((await server.lease()).lockWaits).toBe("pushed");
    await server.stop();
  });

  test("may create databases has lock waits polled", async () => {
    const before = await databases();
    const server = await startServer(as("maker"));
    const database = await server.lease();
    expect(database.lockWaits).toBe("polled");
    const client = await connect(database.url);
    const { rows } = await client.query("select current_setting('client_min_messages') as level");
    expect(rows).toEqual([{ level: "notice" }]);
    await database.drop();
    expect(await databases()).toEqual(before);
    await server.stop();
  });

  test("has its password in the environment is used with it when the environment changes", async () => {
    const own = process.env["PGPASSWORD"];
    const withoutPassword = new URL(as("maker"));
    withoutPassword.password = "";
    try {
      process.env["PGPASSWORD"] = "maker";
      const server = await startServer(withoutPassword.href);
      process.env["PGPASSWORD"] = "another";
      const database = await server.lease();
      const client = await connect(database.url);
      await client.end();
      await database.drop();
      await server.stop();
    } finally {
      if (own === undefined) delete process.env["PGPASSWORD"];
      else process.env["PGPASSWORD"] = own;
    }
  });

  test("may not create databases is rejected with what to do", async () => {
    await expect(startServer(as("plain"))).rejects.toMatchObject({
      code: "PROVIDER_FAILED",
      message: expect.stringMatching(
        /^The role plain may not create databases at plain@127\.0\.0\.1:\d+: .* ALTER ROLE "plain" CREATEDB/,
      ),
    });
    expect(
      await names("select usename as name from pg_stat_activity where usename = 'plain'"),
    ).toEqual([]);
  });
});

test("the description has the address, and not the password", async () => {
  const server = await startServer(as("maker"));
  const { hostname, port } = new URL(url);
  expect(server.description).toBe(
    `PostgreSQL ${server.version} at maker@${hostname}:${port} (as asked)`,
  );
  await server.stop();
});

test("leaves nothing behind, and changes nothing else", async () => {
  const state = async () => [
    await databases(),
    await names("select concat(relname, relkind, relfilenode) as name from pg_class order by 1"),
    await names("select concat(setrole, setdatabase, setconfig) as name from pg_db_role_setting"),
    await names("select concat(rolname, rolconfig) as name from pg_roles order by 1"),
  ];
  const before = await state();
  const server = await startServer(url);
  const [first, second] = await Promise.all([server.lease(), server.lease()]);
  expect(await databases()).toEqual([...(before[0] ?? []), first.name, second.name].sort());
  await first.drop();
  await server.stop();
  await server.stop();
  await second.drop();
  expect(await state()).toEqual(before);
  expect(await exists(dirname(server.folder))).toBe(false);
  await expect(server.lease()).rejects.toThrow(/The server was stopped/);
});

describe("the sweep at a start", () => {
  test("spares databases that Heddle did not create, whatever their names and comments", async () => {
    const others = ["heddle_0123456789abcdef", "heddle_notes"];
    for (const name of others) await admin.query(`create database ${name}`);
    await admin.query("comment on database heddle_notes is 'Made by Heddle, and disposable'");
    const server = await startServer(url);
    await server.stop();
    expect(await databases()).toEqual(expect.arrayContaining(others));
    for (const name of others) await admin.query(`drop database ${name}`);
  });

  test("drops a database of Heddle that no process uses", async () => {
    const name = "heddle_fedcba9876543210";
    await admin.query(`create database ${name}`);
    await admin.query(`comment on database ${name} is 'Made by Heddle, and disposable'`);
    const server = await startServer(url);
    expect(await databases()).not.toContain(name);
    await server.stop();
  });

  test("spares a database in use, also when run from another database or as another role", async () => {
    const server = await startServer(as("maker"));
    const { name } = await server.lease();
    for (const other of [url, withDatabase(url, "template1"), as("maker")]) {
      const next = await startServer(other);
      expect(await databases()).toContain(name);
      await next.stop();
    }
    await server.stop();
    expect(await databases()).not.toContain(name);
  });
});

test("reopens a lost admin connection, with its locks", async () => {
  const server = await startServer(as("maker"));
  const { name } = await server.lease();
  const locks = () =>
    names(
      `select pid::text as name from pg_locks join pg_stat_activity using (pid)
       where locktype = 'advisory' and usename = 'maker'`,
    );
  const [before] = await locks();
  await admin.query(
    "select pg_terminate_backend(pid) from pg_stat_activity where usename = 'maker'",
  );
  await expect.poll(locks, { interval: 10 }).toEqual([expect.not.stringMatching(`^${before}$`)]);
  const next = await startServer(url);
  expect(await databases()).toContain(name);
  await next.stop();
  await (await server.lease()).drop();
  await server.stop();
  expect(await locks()).toEqual([]);
});

test("stopping after the server has ended rejects, and leaves no folder and no process", async () => {
  const other = await startEmbedded({ over: "tcp" });
  const server = await startServer(withDatabase((await other.lease()).url, "postgres"));
  await server.lease();
  await other.stop();
  await expect(server.stop()).rejects.toMatchObject({ code: "PROVIDER_FAILED" });
  const folder = dirname(server.folder);
  expect(await exists(folder)).toBe(false);
  expect(processes().filter(({ command }) => command.includes(folder))).toEqual([]);
});
