import { duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import { describe, expect, test } from "vitest";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import { int32, message, query, startup, terminate, untyped } from "./messages.fixture.ts";
import { Recorder } from "./observer.fixture.ts";
import type { ProxySession } from "./pending-statement.ts";
import { errorIn } from "./raw-client.fixture.ts";
import { type GateObserver, WireSession } from "./session.ts";

const READY = message("Z", "I");
const GREETING = Buffer.concat([
  message("R", int32(0)),
  message("K", int32(4711), int32(99)),
  READY,
]);
const DONE = Buffer.concat([message("C", "SELECT 1\0"), READY]);
const CANCEL_REQUEST = 80877102;

/** A session between two ends that the test holds. */
function between(
  observer: GateObserver | undefined | (() => GateObserver | undefined),
  refused?: Error,
  wire: WireGates = {},
) {
  const [service, serviceSide] = duplexPair({ allowHalfOpen: false });
  const [server, serverSide] = duplexPair({ allowHalfOpen: false });
  const received = new Map([service, server].map((end) => [end, [] as Buffer[]]));
  for (const [end, chunks] of received) end.on("data", (chunk: Buffer) => chunks.push(chunk));
  const ended: ProxySession[] = [];
  const opened: number[] = [];
  const session = new WireSession(serviceSide, {
    dial: () => (refused ? Promise.reject(refused) : Promise.resolve(serverSide)),
    observer: typeof observer === "function" ? observer : () => observer,
    wire,
    arm: (starting) => starting.open(),
    openGate: (_, { place }) => opened.push(place),
    ended: (closed) => ended.push(closed),
  });
  /** What an end has received since it was last read. */
  const read = async (end: typeof service) => {
    for (let turns = 0; turns < 5; turns++) await turn();
    return Buffer.concat(received.get(end)?.splice(0) ?? []);
  };
  const start = async () => {
    service.write(startup("user", "ada"));
    await read(server);
    server.write(GREETING);
    await read(service);
  };
  return { session, service, server, serviceSide, serverSide, ended, opened, read, start };
}

type Ends = ReturnType<typeof between>;

describe("a session", () => {
  test("passes the start, and reads the backend's pid", async () => {
    const { session, service, server, read } = between(new Recorder());
    const packet = startup("user", "ada");
    service.write(packet);
    expect(await read(server)).toEqual(packet);
    server.write(GREETING);
    expect(await read(service)).toEqual(GREETING);
    expect(session.pid).toBe(4711);
  });

  test("passes the messages of both sides until the session is ready", async () => {
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
    const { pending } = await observer.next("arrived");
    expect(pending.statement.sql).toBe("select 1");
    expect(await read(server)).toHaveLength(0);
    pending.release();
    expect(await read(server)).toEqual(query("select 1"));
  });

  test("forwards each request once, in order", async () => {
    const observer = new Recorder();
    const { service, server, read, start } = between(observer);
    await start();
    service.write(Buffer.concat([query("one"), query("two")]));
    const { pending: one } = await observer.next("arrived");
    one.release();
    expect(await read(server)).toEqual(query("one"));
    server.write(DONE);
    expect((await observer.next("answered")).pending).toBe(one);
    one.deliver();
    expect(await read(service)).toEqual(DONE);
    const { pending: two } = await observer.next("arrived");
    expect(two.statement.sql).toBe("two");
    two.release();
    expect(await read(server)).toEqual(query("two"));
  });

  test("holds a statement at a gate inside the server until it is released", async () => {
    const observer = new Recorder();
    const { service, server, opened, read, start } = between(observer);
    await start();
    service.write(query("one"));
    const { pending } = await observer.next("arrived");
    pending.release();
    await read(server);
    server.write(message("N", "SINFO\0VINFO\0CHD001\0M7 0\0\0"));
    expect((await observer.next("reachedGate")).pending).toBe(pending);
    expect(pending.state).toMatchObject({ at: "gate", gate: { place: 7 } });
    expect(opened).toEqual([]);
    pending.release();
    expect(opened).toEqual([7]);
    expect(await read(service)).toHaveLength(0);
  });

  test("passes everything without an observer, gates included", async () => {
    const { service, server, opened, read, start } = between(undefined);
    await start();
    service.write(query("one"));
    expect(await read(server)).toEqual(query("one"));
    server.write(message("N", "SINFO\0VINFO\0CHD001\0M7 0\0\0"));
    await read(service);
    expect(opened).toEqual([7]);
    server.write(DONE);
    expect(await read(service)).toEqual(DONE);
  });

  test("reports waits for a lock, and changes the state of the statement", async () => {
    const observer = new Recorder();
    const { service, server, read, start } = between(observer);
    await start();
    service.write(query("one"));
    const { pending } = await observer.next("arrived");
    pending.release();
    await read(server);
    const log = (text: string) => message("N", `SLOG\0VLOG\0C00000\0M${text}\0\0`);
    const states: string[] = [];
    for (const text of ["still waiting for", "still waiting for", "acquired", "acquired"]) {
      server.write(log(`process 4711 ${text} ShareLock`));
      await observer.next(text === "acquired" ? text : "waiting");
      states.push(pending.state.at);
    }
    expect(states).toEqual(["waiting", "waiting", "running", "running"]);
    // A backend may be stopped right after it has sent that it got the lock.
    server.write(log("process 4711 still waiting for ShareLock"));
    await observer.next("waiting");
    pending.stop({ stop: () => {}, resume: () => {} });
    server.write(log("process 4711 acquired ShareLock"));
    await observer.next("acquired");
    expect(pending.state.at).toBe("stopped");
    pending.resume();
    expect(pending.state.at).toBe("running");
  });

  test("holds a notification that comes between two requests", async () => {
    const observer = new Recorder();
    const { service, server, read, start } = between(observer);
    await start();
    const notification = message("A", int32(1), "channel\0payload\0");
    server.write(notification);
    const { pending } = await observer.next("notified");
    expect(await read(service)).toHaveLength(0);
    pending.deliver();
    expect(await read(service)).toEqual(notification);
  });

  test("cuts the connection where the response is lost, with an observer or without", async () => {
    for (const observed of [true, false]) {
      const observer = new Recorder();
      let current: Recorder | undefined = observer;
      const { service, server, serviceSide, read, start } = between(() => current);
      await start();
      service.write(query("one"));
      const { pending } = await observer.next("arrived");
      pending.loseResponse("cut-after");
      pending.release();
      await read(server);
      if (!observed) current = undefined;
      server.write(DONE);
      if (observed) (await observer.next("answered")).pending.deliver();
      expect(await read(service)).toHaveLength(0);
      expect(serviceSide.destroyed).toBe(true);
      expect(pending.state.at).toBe("complete");
    }
  });

  test("is refused when the server answers unasked", async () => {
    const observer = new Recorder();
    const { service, server, read, start } = between(observer);
    await start();
    server.write(DONE);
    expect(errorIn([await read(service)])).toBe("08P01 heddle: the server sent an answer unasked");
    expect(observer.events.map(({ type }) => type)).toEqual(["closed"]);
  });

  test("completes its statement however it ends", async () => {
    const ends: readonly ((ends: Ends) => void)[] = [
      ({ session }) => session.cut(),
      ({ session }) => session.close(),
      ({ server }) => server.end(),
      ({ service }) => service.end(),
    ];
    for (const end of ends) {
      const observer = new Recorder();
      const session = between(observer);
      await session.start();
      session.service.write(query("one"));
      const { pending } = await observer.next("arrived");
      end(session);
      await session.read(session.server);
      expect(pending.state.at).toBe("complete");
    }
  });

  test("is closed, and not failed, when the server ends it as expected", async () => {
    const observer = new Recorder();
    const { session, server, start } = between(observer);
    await start();
    session.expectEnd();
    server.end();
    expect((await observer.next("closed")).session).toBe(session);
  });

  test("keeps the service's connection until it is cut, once the server is ignored", async () => {
    const observer = new Recorder();
    const { session, server, serviceSide, read, start } = between(observer);
    await start();
    session.ignoreServer();
    server.end();
    await read(server);
    expect(serviceSide.destroyed).toBe(false);
    expect(observer.events).toEqual([]);
    session.cut();
    expect(serviceSide.destroyed).toBe(true);
  });

  test("sends a changed setting that comes between two requests with the next answer", async () => {
    const observer = new Recorder({ passes: true });
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
    ["closes its side", (end: Ends) => end.service.end()],
    ["sends Terminate", (end: Ends) => end.service.write(terminate)],
    ["loses the connection", (end: Ends) => end.serviceSide.destroy(new Error("ECONNRESET"))],
  ])("reports once that it is closed when the service %s", async (_, close) => {
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

  test("closes the service's connection when the server closes its side", async () => {
    const observer = new Recorder();
    const { service, serviceSide, server, ended, session, read, start } = between(observer);
    await start();
    server.end();
    const { error } = await observer.next("failed");
    expect(error.code).toBe("CONNECTION_LOST");
    await read(service);
    // The service need not close its side.
    expect(serviceSide.destroyed).toBe(true);
    expect(ended).toEqual([session]);
  });

  test("gives the service and the observer the reason why the server ended it", async () => {
    const observer = new Recorder();
    const { service, server, read, start } = between(observer);
    await start();
    server.write(message("E", "SFATAL\0VFATAL\0C57P01\0Mterminating by hand\0\0"));
    expect(errorIn([await read(service)])).toBe("57P01 terminating by hand");
    server.end();
    expect((await observer.next("failed")).error.message).toContain("terminating by hand");
  });
});

describe("a connection that the server refuses", () => {
  test("is refused to the service, and reported as a failure", async () => {
    const observer = new Recorder();
    const { service, read } = between(observer, new Error("connect ENOENT"));
    service.write(startup("user", "ada"));
    expect(errorIn([await read(service)])).toMatch(/^08006 heddle: .*connect ENOENT/);
    expect(observer.events.map(({ type }) => type)).toContain("failed");
  });

  test("because it has none left is reported with that reason", async () => {
    const observer = new Recorder();
    const { service, server, read } = between(observer);
    service.write(startup("user", "ada"));
    await read(server);
    server.write(message("E", "SFATAL\0VFATAL\0C53300\0Msorry, too many clients already\0\0"));
    server.end();
    const { error } = await observer.next("failed");
    expect(error.code).toBe("PROVIDER_FAILED");
    expect(error.message).toContain("too many clients");
    expect(errorIn([await read(service)])).toMatch(/^53300/);
  });

  test("is not reported if it was a cancel request, which has no answer", async () => {
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
  ])("may set the default isolation level: %s: %s", async (options, isolates) => {
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
  ])("that only contains the word passes: %j", async (parameters) => {
    const { service, server, read } = between(new Recorder());
    service.write(startup(...parameters));
    expect(await read(server)).toEqual(startup(...parameters));
  });
});
