import { duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import { int32, message, query, startup, terminate, untyped } from "./messages.fixture.ts";
import { Recorder } from "./observer.fixture.ts";
import type { GateObserver } from "./observer.ts";
import { errorIn } from "./raw-client.fixture.ts";
import { ProxySession } from "./session.ts";

const READY = message("Z", "I");
const GREETING = Buffer.concat([
  message("R", int32(0)),
  message("K", int32(4711), int32(99)),
  READY,
]);
const DONE = Buffer.concat([message("C", "SELECT 1\0"), READY]);
const CANCEL_REQUEST = 80877102;

/** A session between two ends that the test holds. */
function between(observer: GateObserver<ProxySession> | undefined, refused?: Error) {
  const [service, serviceSide] = duplexPair({ allowHalfOpen: false });
  const [server, serverSide] = duplexPair({ allowHalfOpen: false });
  const heard = new Map([service, server].map((end) => [end, [] as Buffer[]]));
  for (const [end, chunks] of heard) end.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended: ProxySession[] = [];
  const session = new ProxySession(serviceSide, {
    dial: () => (refused ? Promise.reject(refused) : Promise.resolve(serverSide)),
    observer: () => observer,
    arm: (it) => it.deliver(),
    pass: () => {},
    ended: (it) => ended.push(it),
  });
  /** What an end has heard since it was asked last. */
  const read = async (end: typeof service) => {
    for (let turns = 0; turns < 5; turns++) await turn();
    return Buffer.concat(heard.get(end)?.splice(0) ?? []);
  };
  const start = async () => {
    service.write(startup("user", "ada"));
    await read(server);
    server.write(GREETING);
    await read(service);
  };
  return { session, service, server, serviceSide, serverSide, ended, read, start };
}

type Ends = ReturnType<typeof between>;

describe("a session", () => {
  test("passes the start, and tells the backend's pid", async () => {
    const { session, service, server, read } = between(new Recorder());
    const packet = startup("user", "ada");
    service.write(packet);
    expect(await read(server)).toEqual(packet);
    server.write(GREETING);
    expect(await read(service)).toEqual(GREETING);
    expect(session.pid).toBe(4711);
  });

  test("passes what both sides say until the session is ready", async () => {
    const { service, server, read } = between(new Recorder());
    service.write(startup("user", "ada"));
    await read(server);
    const challenge = message("R", int32(5), "salt");
    server.write(challenge);
    expect(await read(service)).toEqual(challenge);
    const password = message("p", "secret\0");
    service.write(password);
    expect(await read(server)).toEqual(password);
  });

  test("holds a query that was sent before the session is ready", async () => {
    const observer = new Recorder();
    const { service, server, read } = between(observer);
    service.write(Buffer.concat([startup("user", "ada"), query("select 1")]));
    expect(await read(server)).toEqual(startup("user", "ada"));
    server.write(GREETING);
    const { session, statement } = await observer.next("arrived");
    expect(statement.sql).toBe("select 1");
    expect(await read(server)).toHaveLength(0);
    session.release();
    expect(await read(server)).toEqual(query("select 1"));
  });

  test("forwards each request once, in order, and loses none to a release too many", async () => {
    const observer = new Recorder();
    const { session, service, server, read, start } = between(observer);
    await start();
    service.write(Buffer.concat([query("one"), query("two")]));
    await observer.next("arrived");
    session.release();
    session.release();
    expect(await read(server)).toEqual(query("one"));
    server.write(DONE);
    await observer.next("answered");
    session.release();
    session.deliver();
    session.deliver();
    expect(await read(service)).toEqual(DONE);
    expect((await observer.next("arrived")).statement.sql).toBe("two");
    session.release();
    expect(await read(server)).toEqual(query("two"));
  });

  test("sends a changed setting that comes between two requests with the next answer", async () => {
    const observer = new Recorder({ letsGo: true });
    const { service, server, read, start } = between(observer);
    await start();
    const setting = message("S", "TimeZone\0UTC\0");
    server.write(setting);
    expect(await read(service)).toHaveLength(0);
    service.write(query("one"));
    await read(server);
    server.write(DONE);
    expect(await read(service)).toEqual(Buffer.concat([setting, DONE]));
  });

  test.each([
    ["ends it", (end: Ends) => end.service.end()],
    ["says so", (end: Ends) => end.service.write(terminate)],
    ["loses it", (end: Ends) => end.serviceSide.destroy(new Error("ECONNRESET"))],
  ])("tells once that it is closed when the service %s", async (_, close) => {
    const observer = new Recorder();
    const ends = between(observer);
    await ends.start();
    close(ends);
    expect((await observer.next("closed")).session).toBe(ends.session);
    await ends.read(ends.server);
    expect(ends.serverSide.destroyed).toBe(true);
    expect(observer.events).toHaveLength(1);
    expect(ends.ended).toEqual([ends.session]);
  });

  test("whose server goes away ends the service's connection for good", async () => {
    const observer = new Recorder();
    const { service, serviceSide, server, ended, session, read, start } = between(observer);
    await start();
    server.end();
    const { error } = await observer.next("failed");
    expect(error.code).toBe("CONNECTION_LOST");
    await read(service);
    // Also when the service never ends its side.
    expect(serviceSide.destroyed).toBe(true);
    expect(ended).toEqual([session]);
  });

  test("tells the service and the observer why the server ended it", async () => {
    const observer = new Recorder();
    const { service, server, read, start } = between(observer);
    await start();
    server.write(message("E", "SFATAL\0VFATAL\0C57P01\0Mterminating by hand\0\0"));
    expect(errorIn([await read(service)])).toBe("57P01 terminating by hand");
    server.end();
    expect((await observer.next("failed")).error.message).toContain("terminating by hand");
  });
});

describe("a connection that the server does not give", () => {
  test("is refused to the service, and is no doing of the service's", async () => {
    const observer = new Recorder();
    const { service, read } = between(observer, new Error("connect ENOENT"));
    service.write(startup("user", "ada"));
    expect(errorIn([await read(service)])).toMatch(/^08006 heddle: .*connect ENOENT/);
    expect(observer.events.map(({ type }) => type)).toContain("failed");
  });

  test("because it has none left, too", async () => {
    const observer = new Recorder();
    const { service, server, read } = between(observer);
    service.write(startup("user", "ada"));
    await read(server);
    server.write(message("E", "SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"));
    server.end();
    const { error } = await observer.next("failed");
    expect(error.code).toBe("CONNECTION_LOST");
    expect(error.message).toContain("too many clients");
    expect(errorIn([await read(service)])).toMatch(/^53300/);
  });

  test("is told to nobody when it was a cancel request, which has no answer", async () => {
    const observer = new Recorder();
    const { service, server, serviceSide, read } = between(observer);
    const request = untyped(CANCEL_REQUEST, int32(4711), int32(99));
    service.write(request);
    expect(await read(server)).toEqual(request);
    server.end();
    await read(service);
    expect(serviceSide.destroyed).toBe(true);
    expect(observer.events).toEqual([]);
  });
});

describe("a startup packet", () => {
  test.each([
    ["-c DEFAULT_transaction_isolation=serializable", true],
    ["-c work_mem=1MB", false],
  ])("tells of an isolation with %s: %s", async (options, isolates) => {
    const { session, service, server, read } = between(new Recorder());
    service.write(startup("user", "ada", "options", options));
    await read(server);
    expect(session.isolates).toBe(isolates);
  });

  test.each([
    "true",
    "database",
    "on",
    "1",
    "yes",
  ])("for replication (%s) is refused", async (on) => {
    const observer = new Recorder();
    const { service, read } = between(observer);
    service.write(startup("user", "ada", "replication", on));
    expect(errorIn([await read(service)])).toMatch(/^0A000 .*replication connections$/);
    expect(observer.events.at(-1)).toMatchObject({
      type: "failed",
      error: { code: "UNSUPPORTED" },
    });
  });

  test.each([
    [["user", "ada", "replication", "false"]],
    [["user", "ada", "replication", "off"]],
    [["user", "replication", "database", "ledger"]],
    [["user", "ada", "database", "replication", "application_name", "x"]],
  ])("that only has the word in it passes: %j", async (parameters) => {
    const { service, server, read } = between(new Recorder());
    service.write(startup(...parameters));
    expect(await read(server)).toEqual(startup(...parameters));
  });
});
