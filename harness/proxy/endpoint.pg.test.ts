import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { connected, eventually, type Proxied, proxied } from "./proxied-server.fixture.ts";
import { WireProxy } from "./wire-proxy.ts";

let server: Server;
let at: Proxied;

beforeAll(async () => {
  server = await startServer(testPostgres);
  at = await proxied(server);
});

afterAll(async () => {
  await at?.stop();
  await server?.stop();
});

test("each client has an endpoint, by which its sessions are attributed", async () => {
  const urls = [await at.proxy.urlFor(0), await at.proxy.urlFor(1)];
  expect(urls[0]).not.toBe(urls[1]);
  expect(await at.proxy.urlFor(0)).toBe(urls[0]);
  const clients = await Promise.all([...urls, at.proxy.url].map(connected));
  const clientsByPid = new Map(
    [...at.proxy.sessions].map(({ pid, origin }) => [pid, origin.client]),
  );
  const seen: (number | undefined)[] = [];
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    seen.push(clientsByPid.get(rows[0]?.pid ?? 0));
  }
  expect(seen).toEqual([0, 1, undefined]);
  await Promise.all(clients.map((client) => client.end()));
});

test("connections of a held port wait until it is opened; closing it ends those that wait", async () => {
  const port = await at.proxy.heldPort(5);
  const connecting = connected(port.url);
  await eventually(() => port.waitedMs > 0);
  expect(at.proxy.sessionsOf(5)).toBe(0);
  port.open();
  const client = await connecting;
  expect(at.proxy.sessionsOf(5)).toBe(1);
  port.close();
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await client.end();
  const closed = await at.proxy.heldPort(5);
  const waiting = connected(closed.url);
  await eventually(() => closed.waitedMs > 0);
  closed.close();
  await expect(waiting).rejects.toThrow(/terminated|ECONNRESET/);
});

test("a client is busy while a statement of it is under way", async () => {
  await at.ask("select pg_advisory_lock(43)");
  const client = await connected(await at.proxy.urlFor(6));
  expect(at.proxy.isBusy(6)).toBe(false);
  const waiting = client.query("select pg_advisory_lock(43)");
  await eventually(() => at.proxy.isBusy(6));
  expect(at.proxy.isBusy(5)).toBe(false);
  await at.ask("select pg_advisory_unlock(43)");
  await waiting;
  expect(at.proxy.isBusy(6)).toBe(false);
  await client.end();
});

test("a connection without the password of the endpoint is refused", async () => {
  const url = new URL(await at.proxy.urlFor(0));
  url.password = "another";
  const client = new Client({ connectionString: url.toString() });
  await expect(client.connect()).rejects.toMatchObject({ code: "28P01" });
});

test("encryption is available, with a self-signed certificate", async () => {
  const client = new Client({
    connectionString: await at.proxy.urlFor(0),
    ssl: {
      rejectUnauthorized: false,
      checkServerIdentity: () => undefined,
    },
  });
  await client.connect();
  const { rows } = await client.query("select 1 as one");
  expect(rows).toEqual([{ one: 1 }]);
  await client.end();
});

test("a client that verifies certificates refuses the self-signed one", async () => {
  const client = new Client({ connectionString: await at.proxy.urlFor(0), ssl: true });
  await expect(client.connect()).rejects.toMatchObject({ code: "DEPTH_ZERO_SELF_SIGNED_CERT" });
});

test("a password that the server asks for passes the proxy, by SCRAM", async ({ skip }) => {
  const hba = String(await at.ask("show hba_file"));
  skip(!existsSync(hba), "the server's files are on another machine");
  await at.ask("set password_encryption = 'scram-sha-256'");
  await at.ask("create role scrammed login password 'correct'");
  await writeFile(hba, `local all scrammed scram-sha-256\n${await readFile(hba, "utf8")}`);
  await at.ask("select pg_reload_conf()");
  await at.become("select count(*) > 0 from pg_hba_file_rules where 'scrammed' = any (user_name)");
  const serverUrl = new URL(at.database.url);
  serverUrl.username = "scrammed";
  serverUrl.password = "correct";
  const proxy = await WireProxy.start(
    serverUrl.toString(),
    await mkdtemp(join(server.folder, "w")),
  );
  const url = new URL(await proxy.urlFor(0));
  await eventually(async () => {
    // Until the server has read the file, it accepts any password.
    url.password = "wrong";
    const client = new Client({ connectionString: url.toString() });
    return client.connect().then(
      () => client.end().then(() => false),
      (error: { readonly code?: string }) => error.code === "28P01",
    );
  });
  const client = await connected(await proxy.urlFor(0));
  expect((await client.query("select current_user as name")).rows).toEqual([{ name: "scrammed" }]);
  await client.end();
  await proxy.stop();
  await at.ask("drop role scrammed");
});

test("the proxy is unsettled until the backend of an ended session is gone", async () => {
  const client = await connected(await at.proxy.urlFor(2));
  await client.query("select pg_advisory_lock(42)");
  await eventually(() => !at.proxy.unsettled);
  await client.end();
  await eventually(() => at.proxy.sessions.size === 0);
  await eventually(() => !at.proxy.unsettled);
  // Its locks are released by then.
  expect(await at.ask("select pg_try_advisory_lock(42)")).toBe(true);
});
