import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { connected, eventually, type Proxied, proxied } from "./proxied-server.fixture.ts";

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

test("a client has an address of its own, and its sessions are known by it", async () => {
  const urls = [await at.proxy.urlFor(0), await at.proxy.urlFor(1)];
  expect(urls[0]).not.toBe(urls[1]);
  expect(await at.proxy.urlFor(0)).toBe(urls[0]);
  const clients = await Promise.all([...urls, at.proxy.url].map(connected));
  const owners = new Map([...at.proxy.sessions].map(({ pid, client }) => [pid, client]));
  const seen: (number | undefined)[] = [];
  for (const client of clients) {
    const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
    seen.push(owners.get(rows[0]?.pid ?? 0));
  }
  expect(seen).toEqual([0, 1, undefined]);
  await Promise.all(clients.map((client) => client.end()));
});

test("nobody gets in without the password of the address", async () => {
  const url = new URL(await at.proxy.urlFor(0));
  url.password = "another";
  const client = new Client({ connectionString: url.toString() });
  await expect(client.connect()).rejects.toMatchObject({ code: "28P01" });
});

test("a session that was ended keeps the proxy unsettled until its backend is gone", async () => {
  const client = await connected(await at.proxy.urlFor(2));
  await client.query("select pg_advisory_lock(42)");
  await eventually(() => !at.proxy.unsettled);
  await client.end();
  await eventually(() => at.proxy.sessions.size === 0);
  await eventually(() => !at.proxy.unsettled);
  // Whatever it held is free, without any waiting.
  expect(await at.ask("select pg_try_advisory_lock(42)")).toBe(true);
});
