import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { bind, execute, int32, message, parse, query, sync, untyped } from "./messages.fixture.ts";
import { Recorder, resultOf } from "./observer.fixture.ts";
import { connected, eventually, type Proxied, proxied } from "./proxied-server.fixture.ts";
import { errorIn, RawClient, typeOf } from "./raw-client.fixture.ts";

let server: Server;
let it: Proxied;
let observer: Recorder;
const clients: RawClient[] = [];

beforeAll(async () => {
  server = await startServer(testPostgres);
  it = await proxied(server);
  await it.direct.query("create table seen (value int)");
});

beforeEach(async () => {
  await it.direct.query("truncate seen");
  observer = new Recorder();
  it.proxy.observer = observer;
});

afterEach(async () => {
  it.proxy.observer = undefined;
  for (const client of clients.splice(0)) client.close();
  await eventually(() => it.proxy.sessions.size === 0);
});

afterAll(async () => {
  await it?.stop();
  await server?.stop();
});

async function begun(): Promise<RawClient> {
  const client = await RawClient.ready(it.proxy.url);
  clients.push(client);
  return client;
}

const count = () => it.ask("select count(*)::int from seen");

/** Releases the next statement and delivers its response. Returns its text. */
async function pass(): Promise<string> {
  const { pending } = await observer.next("arrived");
  pending.release();
  await observer.next("answered");
  pending.deliver();
  return pending.statement.sql;
}

describe("with an observer", () => {
  test("a request reaches the server when it is released, and its answer when it is delivered", async () => {
    const client = await connected(it.proxy.url);
    let answered = false;
    const asked = client.query("insert into seen values ($1) returning value", [7]).then((it) => {
      answered = true;
      return it.rows;
    });
    const { pending } = await observer.next("arrived");
    expect(pending.statement).toEqual({
      sql: "insert into seen values ($1) returning value",
      values: ["7"],
    });
    expect(pending.session.pid).toBeGreaterThan(0);
    expect(await count()).toBe(0);
    pending.release();
    expect((await observer.next("answered")).pending).toBe(pending);
    expect(resultOf(pending)).toEqual({ tags: ["INSERT 0 1"], transaction: "idle" });
    expect(await count()).toBe(1);
    expect(answered).toBe(false);
    pending.deliver();
    expect(await asked).toEqual([{ value: 7 }]);
    await client.end();
    expect((await observer.next("closed")).session).toBe(pending.session);
    expect(it.proxy.sessions.size).toBe(0);
  });

  test("pipelined requests are released one at a time, in order", async () => {
    const client = await begun();
    const batch = (value: string) => [
      parse("", "insert into seen values ($1)"),
      bind("", [value]),
      execute(),
      sync,
    ];
    client.send(...batch("1"), query("insert into seen values (2)"), ...batch("3"));
    const seen: unknown[] = [];
    for (let left = 3; left > 0; left--) {
      const { pending } = await observer.next("arrived");
      seen.push(await count(), pending.statement.values);
      pending.release();
      await observer.next("answered");
      expect(client.frames).toEqual([]);
      pending.deliver();
      await client.until("Z");
    }
    expect(seen).toEqual([0, ["1"], 1, [], 2, ["3"]]);
  });

  test("a statement that is held when the service disconnects is never executed", async () => {
    const client = await begun();
    client.send(query("insert into seen values (1)"));
    const { pending } = await observer.next("arrived");
    client.close();
    await observer.next("closed");
    expect(pending.state.at).toBe("complete");
    expect(() => pending.release()).toThrow("release is no transition");
    await it.become("select count(*) = 0 from pg_stat_activity where pid = $1", [client.pid]);
    expect(await count()).toBe(0);
  });

  test("the observer gets errors and the state of the transaction", async () => {
    const client = await begun();
    const results: unknown[] = [];
    for (const sql of ["begin", "select 1/0", "rollback"]) {
      client.send(query(sql));
      (await observer.next("arrived")).pending.release();
      const { pending } = await observer.next("answered");
      const result = resultOf(pending);
      const { transaction } = pending.session;
      results.push([result.tags, result.error?.sqlstate, result.transaction, transaction]);
      pending.deliver();
    }
    expect(results).toEqual([
      [["BEGIN"], undefined, "open", "open"],
      [[], "22012", "failed", "failed"],
      [["ROLLBACK"], undefined, "idle", "idle"],
    ]);
  });
});

describe("a wait for a lock", () => {
  test("is reported to the observer, and the service gets nothing of it", async () => {
    expect(it.database.lockWaits).toBe("pushed");
    await it.direct.query("select pg_advisory_lock(1)");
    const client = await begun();
    client.send(query("select pg_advisory_xact_lock(1)"));
    const { pending } = await observer.next("arrived");
    pending.release();
    expect((await observer.next("waiting")).pending).toBe(pending);
    expect(pending.state.at).toBe("waiting");
    await it.direct.query("select pg_advisory_unlock(1)");
    expect((await observer.next("acquired")).pending).toBe(pending);
    await observer.next("answered");
    pending.deliver();
    expect((await client.until("Z")).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
  });

  test("is separate from the notices for the client, which the service gets", async () => {
    const client = await begun();
    client.send(query("do $$ begin raise log 'for the log'; raise notice 'for you'; end $$"));
    (await observer.next("arrived")).pending.release();
    (await observer.next("answered")).pending.deliver();
    const frames = await client.until("Z");
    expect(frames.map(typeOf)).toEqual(["N", "C", "Z"]);
    expect(frames[0]?.toString()).toContain("for you");
  });
});

describe("a cancel request", () => {
  test("reaches the server, with the key that the session got", async () => {
    const client = await begun();
    client.send(query("select pg_sleep(600)"));
    (await observer.next("arrived")).pending.release();
    const sleeps = "select wait_event = 'PgSleep' from pg_stat_activity where pid = $1";
    await it.become(sleeps, [client.pid]);
    const cancel = await RawClient.open(it.proxy.url);
    cancel.send(untyped(80877102, client.key));
    expect(await cancel.ended()).toEqual([]);
    const { pending } = await observer.next("answered");
    expect(resultOf(pending).error?.sqlstate).toBe("57014");
    pending.deliver();
    expect(errorIn(await client.until("Z"))).toMatch(/^57014/);
    expect(observer.events.map(({ type }) => type)).toEqual(["arrived", "answered"]);
  });

  test("with another key cancels nothing", async () => {
    const client = await begun();
    const cancel = await RawClient.open(it.proxy.url);
    cancel.send(untyped(80877102, int32(client.pid), int32(1)));
    await cancel.ended();
    client.send(query("select 1"));
    expect(await pass()).toBe("select 1");
    expect((await client.until("Z")).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
  });
});

describe("a session that the server ends", () => {
  test("is reported, and the service's connection ends with the server's reason", async () => {
    const client = await begun();
    client.send(query("select 1"));
    await observer.next("arrived");
    await it.ask("select pg_terminate_backend($1)", [client.pid]);
    const { error } = await observer.next("failed");
    expect(error.code).toBe("CONNECTION_LOST");
    expect(error.message).toContain("terminating connection due to administrator command");
    expect(errorIn(await client.ended())).toMatch(/^57P01/);
    expect(it.proxy.sessions.size).toBe(0);
  });
});

describe("unsupported messages are refused by name", () => {
  const FUNCTION_CALL = message("F", int32(1598), Buffer.alloc(6));

  test.each<[string, string, Buffer[]]>([
    ["a function call", "the function-call protocol", [FUNCTION_CALL]],
    [
      "a simple query in a batch",
      "a simple query in the middle of an extended batch",
      [parse("", "select 1"), query("select 2")],
    ],
  ])("%s", async (_, what, frames) => {
    const gated = new Recorder({ passes: true });
    it.proxy.observer = gated;
    const client = await begun();
    client.send(...frames);
    const text = `the statement gate does not support ${what}`;
    expect(errorIn(await client.ended())).toBe(`0A000 heddle: ${text}`);
    expect(it.proxy.sessions.size).toBe(0);
    await it.become("select count(*) = 0 from pg_stat_activity where pid = $1", [client.pid]);
    const failures = gated.events.filter((event) => event.type === "failed");
    expect(failures.map(({ error }) => error)).toMatchObject([{ code: "UNSUPPORTED" }]);
    expect(failures[0]?.error.message).toContain(text);
  });
});
