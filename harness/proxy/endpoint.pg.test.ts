import { existsSync } from "node:fs";
import { mkdtemp, readFile, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { openDirectPort } from "./endpoint.ts";
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

test("a direct port leads past the proxy, with the same password as the ports of clients", async () => {
  const port = await openDirectPort(at.database.url);
  const client = await connected(port.url);
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  expect([...at.proxy.sessions].map(({ pid }) => pid)).not.toContain(rows[0]?.pid);
  expect(new URL(port.url).password).toBe(new URL(await at.proxy.urlFor(0)).password);
  await client.end();
  const wrong = new URL(port.url);
  wrong.password = "another";
  const refused = new Client({ connectionString: wrong.href });
  await expect(refused.connect()).rejects.toMatchObject({ code: "28P01" });
  port.close();
  await expect(new Client({ connectionString: port.url }).connect()).rejects.toThrow(
    "ECONNREFUSED",
  );
});

test("code that takes host and port out of a URL needs no password of its own", async () => {
  const { hostname: host, port, username: user, pathname } = new URL(await at.proxy.urlFor(3));
  const client = new Client({ host, port: Number(port), user, database: pathname.slice(1) });
  await client.connect();
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await client.end();
});
