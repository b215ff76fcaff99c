import { mkdtemp, stat } from "node:fs/promises";
import { join } from "node:path";
import { Pool, type QueryConfig } from "pg";
import { parse as parseUrl } from "pg-connection-string";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { startEmbedded } from "../postgres/embedded.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { bind, execute, message, parse, query, sync, untyped } from "./messages.fixture.ts";
import { Recorder } from "./observer.fixture.ts";
import { connected, eventually, type Proxied, proxied } from "./proxied-server.fixture.ts";
import { RawClient, typeOf } from "./raw-client.fixture.ts";
import { WireProxy } from "./wire-proxy.ts";

let server: Server;
let it: Proxied;

beforeAll(async () => {
  server = await startServer(testPostgres);
  it = await proxied(server);
});

afterAll(async () => {
  await it?.stop();
  await server?.stop();
});

/** The messages that answer the requests on a new session. */
async function answers(url: string, requests: readonly (readonly Buffer[])[]): Promise<string[]> {
  const client = await RawClient.ready(url);
  const seen: string[] = [];
  for (const request of requests) {
    client.send(...request);
    seen.push(...(await client.until("Z")).map((frame) => frame.toString("latin1")));
  }
  client.close();
  return seen;
}

const DESCRIBE = message("D", "P\0");

const REQUESTS: { readonly [what: string]: readonly (readonly Buffer[])[] } = {
  "a simple query": [[query("select 1 as one, null as nothing, 'ü' as text")]],
  "several statements in one": [
    [query("create temp table t (n int); insert into t values (1), (2); select n + 0 from t")],
  ],
  "an empty query": [[query("")]],
  "a notice": [[query("do $$ begin raise notice 'hello'; raise warning 'careful'; end $$")]],
  "an error, and what follows it": [
    [query("select 1; select 1/0; select 2")],
    [query("begin")],
    [query("select nonsense")],
    [query("select 1")],
    [query("rollback")],
  ],
  "a batch with parameters": [
    [
      parse("", "select $1::int + 1, $2::text, $3::text"),
      bind("", [Buffer.from([0, 0, 0, 41]), "x", null], { formats: [1, 0, 0] }),
      DESCRIBE,
      execute(),
      sync,
    ],
  ],
  "a named statement, used again and closed": [
    [parse("n", "select $1::int * 2"), message("D", "Sn\0"), sync],
    [bind("n", ["4"]), execute(), sync],
    [bind("n", ["5"]), execute(), sync],
    [message("C", "Sn\0"), sync],
    [bind("n", ["6"]), execute(), sync],
  ],
  "an error in the middle of a batch": [
    [
      parse("", "select 1/0"),
      bind(""),
      execute(),
      parse("", "select 2"),
      bind(""),
      execute(),
      sync,
    ],
  ],
  "a changed setting": [[query("set timezone to 'Asia/Tokyo'")], [query("show timezone")]],
  "a transaction's states": [
    [query("begin")],
    [parse("", "savepoint a"), bind(""), execute(), sync],
    [query("commit")],
  ],
};

describe("the proxy does not change the bytes", () => {
  const cases = Object.entries(REQUESTS);

  test.each(cases)("without an observer: %s", async (_, requests) => {
    const direct = await answers(it.database.url, requests);
    expect(direct.length).toBeGreaterThan(1);
    expect(await answers(it.proxy.url, requests)).toEqual(direct);
  });

  test.each(cases)("with an observer: %s", async (_, requests) => {
    const observer = new Recorder({ passes: true });
    it.proxy.observer = observer;
    const gated = await answers(it.proxy.url, requests);
    it.proxy.observer = undefined;
    expect(gated).toEqual(await answers(it.database.url, requests));
    const held = observer.events.filter(({ type }) => type === "arrived");
    expect(held).toHaveLength(requests.length);
  });
});

describe("a driver can use the proxy", () => {
  test("with large results and large parameters", async () => {
    const client = await connected(it.proxy.url);
    const text = "ä".repeat(3_000_000);
    const { rows } = await client.query("select $1::text as echo, length($1) as length", [text]);
    expect(rows[0].length).toBe(text.length);
    expect(rows[0].echo === text).toBe(true);
    const many = await client.query("select i, repeat('x', 100) from generate_series(1, 50000) i");
    expect(many.rows).toHaveLength(50_000);
    expect(many.rows.at(-1).i).toBe(50_000);
    await client.end();
  });

  test("on many connections at once, with named statements", async () => {
    const pool = new Pool({ connectionString: it.proxy.url, max: 30 });
    const ask = (value: number): QueryConfig => ({
      name: "echo",
      text: "select $1::int as value, pg_backend_pid() as pid",
      values: [value],
    });
    const numbers = Array.from({ length: 300 }, (_, index) => index);
    const results = await Promise.all(numbers.map((value) => pool.query(ask(value))));
    expect(results.map(({ rows }) => rows[0].value)).toEqual(numbers);
    expect(new Set(results.map(({ rows }) => rows[0].pid)).size).toBe(30);
    await eventually(() => it.proxy.sessions.size === 30);
    await pool.end();
  });

  test("after an error, which it gets unchanged", async () => {
    const client = await connected(it.proxy.url);
    await expect(client.query("select 1/0")).rejects.toMatchObject({
      code: "22012",
      severity: "ERROR",
      message: "division by zero",
    });
    expect((await client.query("select 7 as n")).rows).toEqual([{ n: 7 }]);
    await client.end();
  });

  test("with a password (SCRAM)", async () => {
    const tcp = await startEmbedded({ over: "tcp" });
    const other = await proxied(tcp);
    const client = await connected(other.proxy.url);
    expect((await client.query("select current_user as name")).rows).toEqual([
      { name: "postgres" },
    ]);
    await client.end();
    const wrong = new URL(other.proxy.url);
    wrong.password = "wrong";
    await expect(connected(wrong.href)).rejects.toMatchObject({ code: "28P01" });
    await other.stop();
    await tcp.stop();
  });
});

describe("the start of a connection", () => {
  test.each([
    ["SSL", 80877103],
    ["GSSAPI", 80877104],
  ])("declines encryption by %s, and the session begins without it", async (_, code) => {
    const client = await RawClient.open(it.proxy.url);
    expect(await client.encryption(untyped(code))).toBe("N");
    await client.begin(it.proxy.url);
    expect((await client.query("select 1")).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
    client.close();
  });

  test("leaves it to the server to refuse a database that does not exist", async () => {
    const url = new URL(it.proxy.url);
    url.pathname = "/nowhere";
    await expect(connected(url.href)).rejects.toMatchObject({ code: "3D000" });
  });
});

describe("a proxy", () => {
  test("listens in a private folder until it is stopped", async () => {
    const other = await proxied(server);
    const socket = join(other.folder, ".s.PGSQL.5432");
    expect((await stat(other.folder)).mode & 0o777).toBe(0o700);
    expect((await stat(socket)).isSocket()).toBe(true);
    const client = await RawClient.ready(other.proxy.url);
    await other.stop();
    await client.ended();
    await expect(stat(socket)).rejects.toMatchObject({ code: "ENOENT" });
    await expect(connected(other.proxy.url)).rejects.toMatchObject({ code: "ENOENT" });
  });

  test("offers the service no encryption even if it uses TLS itself", async () => {
    const url = new URL(it.database.url);
    url.searchParams.set("ssl", "true");
    url.searchParams.set("sslmode", "no-verify");
    url.searchParams.set("application_name", "ledger");
    const proxy = await WireProxy.start(url.href, await mkdtemp(join(server.folder, "w")));
    await proxy.stop();
    const { ssl, application_name } = parseUrl(proxy.url);
    expect({ ssl, application_name }).toEqual({ ssl: undefined, application_name: "ledger" });
  });
});
