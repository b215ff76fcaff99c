import { execFileSync } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exists } from "./cache.ts";
import { startEmbedded } from "./embedded.ts";
import { processes } from "./harness-process.fixture.ts";
import { type Server, startServer } from "./provider.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer("embedded");
});
afterAll(() => server.stop());

/** Runs `use` with sessions on a fresh database. */
async function withSessions<T>(
  count: number,
  use: (sessions: pg.Client[], messages: string[]) => Promise<T>,
): Promise<T> {
  const database = await server.lease();
  const messages: string[] = [];
  const sessions = Array.from({ length: count }, (_, index) => {
    const session = new pg.Client({ connectionString: database.url });
    session.on("notice", ({ message }) => messages.push(`${index}: ${message}`));
    return session;
  });
  try {
    for (const session of sessions) await session.connect();
    return await use(sessions, messages);
  } finally {
    for (const session of sessions) await session.end();
    await database.drop();
  }
}

const only = ([session]: pg.Client[]): pg.Client => {
  if (session === undefined) throw new Error("no session");
  return session;
};

test("a server has its provider, version and description", () => {
  expect(server.provider).toBe("embedded");
  expect(server.version).toMatch(/^\d+\.\d+$/);
  expect(server.description).toBe(`embedded PostgreSQL ${server.version} (as asked)`);
});

test("databases have unique names, and are empty", async () => {
  const databases = await Promise.all([server.lease(), server.lease(), server.lease()]);
  expect(new Set(databases.map(({ name }) => name)).size).toBe(3);
  for (const { name, url } of databases) {
    expect(name).toMatch(/^heddle_[0-9a-f]{16}$/);
    const client = new pg.Client({ connectionString: url });
    await client.connect();
    const { rows } = await client.query(
      "select current_database() as name, (select count(*) from pg_tables where schemaname = 'public') as tables",
    );
    expect(rows).toEqual([{ name, tables: "0" }]);
    await client.end();
  }
  for (const database of databases) await database.drop();
});

test("the connection string of a database is a valid URL", async () => {
  const database = await server.lease();
  expect(new URL(database.url).pathname).toBe(`/${database.name}`);
  await database.drop();
});

test("drop disconnects the clients of a database, and may be repeated", async () => {
  const database = await server.lease();
  const client = new pg.Client({ connectionString: database.url });
  const lost = new Promise((resolve) => client.on("error", resolve));
  await client.connect();
  await database.drop();
  await database.drop();
  await lost;
  await expect(new pg.Client({ connectionString: database.url }).connect()).rejects.toThrow(
    /does not exist/,
  );
});

test("times are in UTC, texts sort by code point, and case follows Unicode", async () => {
  await withSessions(1, async (sessions) => {
    const { rows } = await only(sessions).query(
      "select current_setting('TimeZone') as zone, upper('é') as up, 'Z' < 'a' as sorted",
    );
    expect(rows).toEqual([{ zone: "UTC", up: "É", sorted: true }]);
  });
});

test("the extension btree_gist is available", async () => {
  await withSessions(1, (sessions) => only(sessions).query("create extension btree_gist"));
});

describe("a lock wait", () => {
  test("is reported by a notice to the session that waits", async () => {
    await withSessions(2, async ([holder, waiter]) => {
      if (holder === undefined || waiter === undefined) throw new Error("no sessions");
      await holder.query("create table t as select 1 as id");
      await holder.query("begin; update t set id = 2");
      const notice = new Promise<string>((resolve) => {
        waiter.on("notice", ({ message }) => resolve(message ?? ""));
      });
      const update = waiter.query("update t set id = 3");
      expect(await notice).toMatch(/^process \d+ still waiting for ShareLock on transaction \d+/);
      await holder.query("commit");
      await update;
    });
  });

  test("that closes a cycle makes its session the deadlock's victim", async () => {
    await withSessions(2, async ([first, second]) => {
      if (first === undefined || second === undefined) throw new Error("no sessions");
      await first.query("create table t as select generate_series(1, 2) as id");
      await first.query("begin; select from t where id = 1 for update");
      await second.query("begin; select from t where id = 2 for update");
      const waits = new Promise((resolve) => first.once("notice", resolve));
      const waiting = first.query("select from t where id = 2 for update");
      await waits;
      await expect(second.query("select from t where id = 1 for update")).rejects.toMatchObject({
        code: "40P01",
      });
      await second.query("rollback");
      await waiting;
      await first.query("rollback");
    });
  });
});

test("two servers are independent of each other", async () => {
  const other = await startServer("embedded");
  const otherDatabase = await other.lease();
  const ours = await server.lease();
  expect(new URL(otherDatabase.url).search).not.toBe(new URL(ours.url).search);
  await other.stop();
  await ours.drop();
  await (await server.lease()).drop();
});

test("a server over TCP requires its password", async () => {
  const other = await startEmbedded({ over: "tcp" });
  const { url } = await other.lease();
  const address = new URL(url);
  expect(address.hostname).toBe("127.0.0.1");
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.end();
  address.password = "wrong";
  await expect(new pg.Client({ connectionString: address.href }).connect()).rejects.toMatchObject({
    code: "28P01",
  });
  await other.stop();
});

test("stop leaves no process and no folder, and may be repeated", async () => {
  const other = await startServer("embedded");
  const database = await other.lease();
  const run = dirname(other.folder);
  expect(await readdir(other.folder)).toEqual([]);
  expect(processes().filter(({ command }) => command.includes(run))).not.toEqual([]);
  await Promise.all([other.stop(), other.stop()]);
  await other.stop();
  await database.drop();
  expect(await exists(run)).toBe(false);
  const ours = processes().filter(({ command }) => command.includes(run));
  expect(ours).toEqual([]);
  await expect(other.lease()).rejects.toThrow(/The server was stopped: start another one/);
});

test("a killed server is reported as killed, and stop leaves nothing", async () => {
  const other = await startServer("embedded");
  const run = dirname(other.folder);
  const note = (await readFile(join(run, "data", "postmaster.pid"), "utf8")).split("\n");
  const segment = note[6]?.trim().split(/ +/)[1] ?? "";
  expect(segments()).toContain(segment);
  process.kill(Number(note[0]), "SIGKILL");
  await expect(other.lease()).rejects.toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringContaining("The embedded Postgres does not run: it ended with SIGKILL"),
  });
  await other.stop();
  expect(await exists(run)).toBe(false);
  expect(segments()).not.toContain(segment);
});

/** The ids of all segments of System V shared memory. */
function segments(): string[] {
  return execFileSync("ipcs", ["-m"], { encoding: "utf8" })
    .split("\n")
    .flatMap((line) => line.split(/ +/)[1] ?? []);
}
