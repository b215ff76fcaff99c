import { describe, expect, test } from "vitest";
import { NOTHING, type Touched } from "../core/footprint.ts";
import type { Footprints } from "../footprints/footprints.ts";
import type { TransactionControl } from "../footprints/transaction-control.ts";
import type { ProxySession } from "../proxy/session.ts";
import { PendingStatements } from "./pending-statements.ts";
import { fakeSession } from "./session.fixture.ts";
import { StepFootprints } from "./step-footprints.ts";

const CONTROLS: { readonly [sql: string]: TransactionControl } = {
  begin: { type: "private" },
  "begin strictly": { type: "private", isolates: "transaction" },
  commit: { type: "end" },
};

/** A statement writes what it is called; `?` is not understood. */
const footprints = {
  isolation: "read committed",
  stale: false,
  of: (sql: string) => ({
    control: CONTROLS[sql] ?? { type: "query" },
    at: () => (sql === "?" ? undefined : CONTROLS[sql] ? NOTHING : writes(sql)),
    singleStep: true,
    deferred: sql === "late",
    catches: false,
  }),
} satisfies Footprints;

const writes = (...objects: string[]): Touched => ({ ...NOTHING, writes: new Set(objects) });

/** Clients that have a session each. */
class Clients {
  readonly pending = new PendingStatements();
  readonly steps = new StepFootprints(footprints, this.pending);
  readonly #sessions = new Map<number, ReturnType<typeof fakeSession>>();

  session(client: number): ReturnType<typeof fakeSession> {
    const session = this.#sessions.get(client) ?? fakeSession(client + 1);
    this.#sessions.set(client, session);
    return session;
  }

  /** The statement is held, and what it may touch. */
  hold(client: number, sql: string) {
    this.pending.arrive(this.session(client), { sql, values: [] }, client, () => true);
    return this.steps.of({ task: client < 0 ? "bg" : String(client), action: "release" });
  }

  /** The statement that is held goes to the server, and waits for those. */
  release(client: number, ...waitsFor: number[]): void {
    const flight = this.pending.on(this.session(client));
    if (flight === undefined) throw new Error("nothing is held");
    this.steps.onRelease(flight);
    flight.stage = "database";
    flight.waitsFor = waitsFor.map(String);
  }

  did(client: number, sql: string, transaction: ProxySession["transaction"]): void {
    this.hold(client, sql);
    this.release(client);
    this.pending.land(this.session(client));
    this.session(client).transaction = transaction;
  }
}

describe("a step's footprint", () => {
  test("is its statement's; by itself it commits", () => {
    const clients = new Clients();
    expect(clients.hold(0, "a")).toMatchObject({ step: writes("a"), held: NOTHING, ends: true });
  });

  test("has what its transaction holds, until that has ended", () => {
    const clients = new Clients();
    clients.did(0, "begin", "open");
    clients.did(0, "a", "open");
    expect(clients.hold(0, "b")).toMatchObject({
      step: writes("b"),
      held: writes("a"),
      ends: false,
    });
    clients.release(0);
    clients.pending.land(clients.session(0));
    const commit = clients.hold(0, "commit");
    expect(commit).toMatchObject({ step: NOTHING, held: writes("a", "b"), ends: true });
    clients.release(0);
    clients.pending.land(clients.session(0));
    clients.session(0).transaction = "idle";
    expect(clients.hold(0, "c")).toMatchObject({ held: NOTHING });
  });

  test("keeps the advisory locks of its session", () => {
    const clients = new Clients();
    clients.did(0, "advisory lock 1", "idle");
    clients.did(0, "begin", "open");
    expect(clients.hold(0, "a")).toMatchObject({ held: writes("advisory lock 1") });
  });

  test("has let go of what closed connections held: a transaction, or a session's locks", () => {
    const clients = new Clients();
    clients.did(0, "begin", "open");
    clients.did(0, "a", "open");
    clients.did(1, "advisory lock 1", "idle");
    clients.did(1, "b", "idle");
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
    clients.steps.closed(clients.session(0));
    clients.steps.closed(clients.session(1));
    expect(clients.steps.takeReleased()).toEqual(writes("a", "advisory lock 1"));
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
    clients.did(2, "?", "idle");
    clients.steps.closed(clients.session(2));
    expect(clients.steps.takeReleased()).toBeUndefined();
  });

  test("is unknown after all when the service adds to the statement that is under way", () => {
    const clients = new Clients();
    const statement = { sql: "a", values: [] };
    clients.pending.arrive(clients.session(0), statement, 0, () => true);
    clients.release(0);
    statement.sql = "a; b";
    expect(clients.steps.takeReleased()).toBeUndefined();
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
    clients.pending.land(clients.session(0));
    clients.session(0).transaction = "open";
    expect(clients.hold(0, "c")).toBeUndefined();
  });

  test("of a commit has what was put off to it", () => {
    const clients = new Clients();
    clients.did(0, "begin", "open");
    clients.did(0, "late", "open");
    expect(clients.hold(0, "commit")).toMatchObject({ step: writes("late") });
  });

  test("has what those would do who wait for it, over others too", () => {
    const clients = new Clients();
    clients.did(0, "begin", "open");
    clients.did(0, "a", "open");
    clients.hold(1, "a");
    clients.release(1, 0);
    clients.did(3, "begin", "open");
    clients.did(3, "c", "open");
    clients.hold(3, "d");
    clients.release(3, 1);
    const commit = clients.hold(0, "commit");
    expect(commit).toMatchObject({
      step: writes("a", "d"),
      held: writes("a", "c", "d"),
      ends: true,
    });
    expect(clients.hold(2, "x")).toMatchObject({ step: writes("x"), held: NOTHING });
  });

  test("is that of the statement that goes on, when it is woken", () => {
    const clients = new Clients();
    clients.hold(0, "a");
    clients.release(0, 1);
    const flight = clients.pending.on(clients.session(0));
    if (flight !== undefined) flight.stage = "woken";
    const woken = clients.steps.of({ task: "0", action: "wake" });
    expect(woken).toMatchObject({ step: writes("a"), held: writes("a"), ends: true });
  });

  test("is unknown after something that is not understood, and in the background", () => {
    const clients = new Clients();
    clients.did(0, "begin", "open");
    expect(clients.hold(0, "?")).toBeUndefined();
    clients.release(0);
    clients.pending.land(clients.session(0));
    expect(clients.hold(0, "a")).toBeUndefined();
    expect(clients.hold(-1, "a")).toBeUndefined();
  });

  test("is unknown once the schema may have changed", () => {
    const clients = new Clients();
    const stale = { ...footprints, stale: true };
    const steps = new StepFootprints(stale, clients.pending);
    expect(steps.of({ task: "0", action: "start" })).toBeUndefined();
  });

  test("takes a snapshot with the first statement of a transaction with an isolation of its own", () => {
    const clients = new Clients();
    clients.did(0, "begin strictly", "open");
    expect(clients.hold(0, "a")).toMatchObject({ snapshot: true, tracked: true });
    clients.release(0);
    clients.pending.land(clients.session(0));
    expect(clients.hold(0, "b")).toMatchObject({ snapshot: false, tracked: true });
    expect(clients.hold(1, "b")).toMatchObject({ snapshot: false, tracked: false });
  });

  test("has the isolation of its session", () => {
    const clients = new Clients();
    clients.session(0).isolates = true;
    expect(clients.hold(0, "a")).toMatchObject({ tracked: true });
    expect(clients.hold(1, "a")).toMatchObject({ tracked: false });
  });

  test("is nothing when a operation starts or an answer is delivered, but for what is held", () => {
    const clients = new Clients();
    expect(clients.steps.of({ task: "0", action: "start" })).toMatchObject({
      step: NOTHING,
      held: NOTHING,
      ends: false,
    });
    clients.did(0, "begin", "open");
    clients.did(0, "a", "open");
    expect(clients.steps.of({ task: "0", action: "deliver" })).toMatchObject({
      step: NOTHING,
      held: writes("a"),
    });
  });
});
