import { describe, expect, test } from "vitest";
import { NOTHING, type Touched } from "../core/footprint.ts";
import type { Footprints, RequestFootprint } from "../footprints/footprints.ts";
import type { TransactionControl } from "../footprints/transaction-control.ts";
import { FakeSession, RESULT } from "../proxy/pending-statement.fixture.ts";
import type { PendingStatement } from "../proxy/pending-statement.ts";
import { Discoveries } from "./discoveries.ts";
import { PendingStatements } from "./pending-statements.ts";
import { StepFootprints } from "./step-footprints.ts";

const CONTROLS: { readonly [sql: string]: TransactionControl } = {
  begin: { type: "private", safe: true, begins: true },
  "set x": { type: "private" },
  "savepoint s": { type: "private", savepoint: { does: "set", name: "s" } },
  "savepoint t": { type: "private", savepoint: { does: "set", name: "t" } },
  "release s": { type: "private", savepoint: { does: "release", name: "s" } },
  "release t": { type: "private", savepoint: { does: "release", name: "t" } },
  "rollback to s": { type: "private", savepoint: { does: "return", name: "s" } },
  "begin strictly": { type: "private", isolates: "transaction", keepsSnapshot: true },
  "begin loosely": { type: "private", isolates: "transaction" },
  "commit and chain": { type: "unknown" },
  commit: { type: "end" },
};

/** Queries that touch nothing: one that cannot fail, and one that can. */
const UNSHARED = new Map<string, RequestFootprint["unshared"]>([
  ["constant", "safe"],
  ["quotient", "fallible"],
]);

/** A statement writes an object of its own name; `?` has no known footprint. */
const footprints = {
  isolation: "read committed",
  defaultIsolation: "read committed",
  weakestDefault: "read committed",
  stale: false,
  gateAt: (place: number) => (["snapshot", "commit", "row"] as const)[place],
  revision: 0,
  holdsCommits: false,
  of: (sql: string) => ({
    control: CONTROLS[sql] ?? { type: "query" },
    at: () =>
      sql === "?" ? undefined : CONTROLS[sql] || UNSHARED.has(sql) ? NOTHING : writes(sql),
    singleStep: true,
    deferred: sql === "late",
    changes: false,
    catches: false,
    unshared: UNSHARED.get(sql),
    alters: sql === "create",
    unnoticed: ({ insert: "row", numbered: "snapshot" } as const)[sql],
    readsStart: sql === "now",
    readsClock: () => sql === "clock",
    ofSession: sql === "set x" ? ("changes" as const) : undefined,
  }),
} satisfies Footprints;

const writes = (...objects: string[]): Touched => ({ ...NOTHING, writes: new Set(objects) });

/** Clients that have a session each. */
class Clients {
  readonly statements = new PendingStatements({
    isActive: () => true,
    ownerOf: () => undefined,
    hasSessions: () => true,
  });
  readonly discoveries = new Discoveries();
  readonly steps = new StepFootprints(footprints, this.statements, this.discoveries, []);
  readonly #sessions = new Map<number, FakeSession>();

  session(client: number): FakeSession {
    const session = this.#sessions.get(client) ?? new FakeSession(client + 1);
    this.#sessions.set(client, session);
    return session;
  }

  /** A statement of the client arrives. Returns the footprint of its release. */
  hold(client: number, sql: string) {
    this.statements.add(this.session(client).hold({ sql, values: [] }), client);
    return this.steps.of({ task: client < 0 ? "bg" : String(client), action: "release" });
  }

  /** A statement of the client arrives. Returns whether its step belongs to the one before. */
  isPrivate(client: number, sql: string): boolean {
    this.hold(client, sql);
    const pending = this.statements.on(this.session(client));
    return pending !== undefined && this.steps.isPrivate(pending);
  }

  /** Executes statements in a transaction block, and returns those that touch nothing shared. */
  privateOf(client: number, ...block: string[]): string[] {
    return block.filter((sql) => {
      const isPrivate = this.isPrivate(client, sql);
      this.release(client);
      this.answer(client, sql === "commit" ? "idle" : "open");
      return isPrivate;
    });
  }

  /** The statement that is held goes to the server. */
  release(client: number) {
    const pending = this.statements.on(this.session(client));
    if (pending === undefined) throw new Error("no statement is held");
    this.steps.onRelease(pending);
    pending.release();
    return pending;
  }

  /** The statement that is held goes to the server, and waits for those clients. */
  block(client: number, ...holders: number[]) {
    const pending = this.release(client);
    pending.waitForLock();
    this.#waits.set(pending, holders.map(String));
    this.statements.setWaits(this.#waits);
    return pending;
  }

  /** The statement is answered, and its session is in that state. */
  answer(client: number, transaction: FakeSession["transaction"]): void {
    const session = this.session(client);
    const pending = this.statements.on(session);
    pending?.answer(RESULT);
    this.statements.remove(session);
    pending?.deliver();
    session.transaction = transaction;
  }

  run(client: number, sql: string, transaction: FakeSession["transaction"]): void {
    this.hold(client, sql);
    this.release(client);
    this.answer(client, transaction);
  }

  readonly #waits = new Map<PendingStatement, readonly string[]>();
}

describe("a step's footprint", () => {
  test("is its statement's; by itself it commits", () => {
    const clients = new Clients();
    expect(clients.hold(0, "a")).toMatchObject({ step: writes("a"), held: NOTHING, ends: true });
  });

  test("has what its transaction holds, until that has ended", () => {
    const clients = new Clients();
    clients.run(0, "begin", "open");
    clients.run(0, "a", "open");
    expect(clients.hold(0, "b")).toMatchObject({
      step: writes("b"),
      held: writes("a"),
      ends: false,
    });
    clients.release(0);
    clients.answer(0, "open");
    const commit = clients.hold(0, "commit");
    expect(commit).toMatchObject({ step: NOTHING, held: writes("a", "b"), ends: true });
    clients.release(0);
    clients.answer(0, "idle");
    expect(clients.hold(0, "c")).toMatchObject({ held: NOTHING });
  });

  test("keeps the advisory locks of its session", () => {
    const clients = new Clients();
    clients.run(0, "advisory lock 1", "idle");
    clients.run(0, "begin", "open");
    expect(clients.hold(0, "a")).toMatchObject({ held: writes("advisory lock 1") });
  });

  test("has released what closed connections held: a transaction, or a session's locks", () => {
    const clients = new Clients();
    clients.run(0, "begin", "open");
    clients.run(0, "a", "open");
    clients.run(1, "advisory lock 1", "idle");
    clients.run(1, "b", "idle");
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
    clients.steps.closed(clients.session(0));
    clients.steps.closed(clients.session(1));
    expect(clients.steps.takeReleased()).toEqual(writes("a", "advisory lock 1"));
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
    clients.run(2, "?", "idle");
    clients.steps.closed(clients.session(2));
    expect(clients.steps.takeReleased()).toBeUndefined();
  });

  test("becomes unknown when the service adds to the statement that is under way", () => {
    const clients = new Clients();
    const statement = { sql: "a", values: [] };
    clients.statements.add(clients.session(0).hold(statement), 0);
    clients.release(0);
    statement.sql = "a; b";
    expect(clients.steps.takeReleased()).toBeUndefined();
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
    clients.answer(0, "open");
    expect(clients.hold(0, "c")).toBeUndefined();
  });

  test("is unknown if its client has waited for something outside the database", () => {
    const clients = new Clients();
    clients.steps.waitedOutside();
    expect(clients.steps.takeReleased()).toBeUndefined();
    expect(clients.steps.takeReleased()).toEqual(NOTHING);
  });

  test("of a commit has what was deferred to it", () => {
    const clients = new Clients();
    clients.run(0, "begin", "open");
    clients.run(0, "late", "open");
    expect(clients.hold(0, "commit")).toMatchObject({ step: writes("late") });
  });

  test("has the steps of the statements that wait for it, over others too", () => {
    const clients = new Clients();
    clients.run(0, "begin", "open");
    clients.run(0, "a", "open");
    clients.hold(1, "a");
    clients.block(1, 0);
    clients.run(3, "begin", "open");
    clients.run(3, "c", "open");
    clients.hold(3, "d");
    clients.block(3, 1);
    const commit = clients.hold(0, "commit");
    expect(commit).toMatchObject({
      step: writes("a", "d"),
      held: writes("a", "c", "d"),
      ends: true,
    });
    expect(clients.hold(2, "x")).toMatchObject({ step: writes("x"), held: NOTHING });
  });

  test("of a woken statement is that of the step that it continues", () => {
    const clients = new Clients();
    clients.hold(0, "a");
    const pending = clients.block(0, 1);
    pending.stop(clients.session(0).signals);
    pending.wake();
    const woken = clients.steps.of({ task: "0", action: "wake" });
    expect(woken).toMatchObject({ step: writes("a"), held: writes("a"), ends: true });
  });

  test("is unknown after a statement without a known footprint, and in the background", () => {
    const clients = new Clients();
    clients.run(0, "begin", "open");
    expect(clients.hold(0, "?")).toBeUndefined();
    clients.release(0);
    clients.answer(0, "open");
    expect(clients.hold(0, "a")).toBeUndefined();
    expect(clients.hold(-1, "a")).toBeUndefined();
  });

  test("is unknown once the schema may have changed", () => {
    const clients = new Clients();
    const stale = { ...footprints, stale: true };
    const steps = new StepFootprints(stale, clients.statements, new Discoveries(), []);
    expect(steps.of({ task: "0", action: "start" })).toBeUndefined();
  });

  test("takes a snapshot with the first statement of a transaction with an isolation of its own", () => {
    const clients = new Clients();
    clients.run(0, "begin strictly", "open");
    expect(clients.hold(0, "a")).toMatchObject({ snapshot: true, tracked: true });
    clients.release(0);
    clients.answer(0, "open");
    expect(clients.hold(0, "b")).toMatchObject({ snapshot: false, tracked: true });
    expect(clients.hold(1, "b")).toMatchObject({ snapshot: false, tracked: false });
  });

  test("has the isolation of its session", () => {
    const clients = new Clients();
    clients.session(0).isolates = true;
    expect(clients.hold(0, "a")).toMatchObject({ tracked: true });
    expect(clients.hold(1, "a")).toMatchObject({ tracked: false });
  });

  test("covers only held objects when an operation starts or an answer is delivered", () => {
    const clients = new Clients();
    expect(clients.steps.of({ task: "0", action: "start" })).toMatchObject({
      step: NOTHING,
      held: NOTHING,
      ends: false,
    });
    clients.run(0, "begin", "open");
    clients.run(0, "a", "open");
    expect(clients.steps.of({ task: "0", action: "deliver" })).toMatchObject({
      step: NOTHING,
      held: writes("a"),
    });
  });
});

describe("a step touches nothing shared", () => {
  test.each<[what: string, block: string[], expected: string[]]>([
    [
      "at the beginning of a transaction, and in one that has touched nothing",
      ["begin", "set x", "constant", "quotient", "savepoint s", "rollback to s", "commit"],
      ["begin", "set x", "constant", "quotient", "savepoint s", "rollback to s", "commit"],
    ],
    [
      "while something is held, if it cannot fail",
      ["begin", "a", "begin", "set x", "constant", "quotient", "begin strictly", "commit"],
      ["begin", "begin", "constant"],
    ],
    [
      "if it releases a savepoint that exists",
      ["begin", "a", "savepoint s", "savepoint t", "release s", "release t", "release s"],
      ["begin", "savepoint s", "savepoint t", "release s"],
    ],
    [
      "but not if it returns to a savepoint",
      ["begin", "savepoint s", "a", "savepoint t", "rollback to s", "release s", "release t"],
      ["begin", "savepoint s", "savepoint t", "release s"],
    ],
    ["but not after an unknown statement", ["begin", "?", "quotient", "commit"], ["begin"]],
    ["nor after a change of the schema", ["begin", "create", "constant", "savepoint s"], ["begin"]],
    [
      "nor if it takes the snapshot of its transaction",
      ["begin strictly", "set x", "constant", "commit"],
      ["begin strictly", "set x", "commit"],
    ],
    [
      "nor that of the transaction which an unknown statement may begin",
      ["begin strictly", "constant", "commit and chain", "constant", "constant"],
      ["begin strictly", "constant"],
    ],
  ])("%s", (_, block, expected) => {
    expect(new Clients().privateOf(0, ...block)).toEqual(expected);
  });

  test("in autocommit, also where transactions have a snapshot, but not in the background", () => {
    const clients = new Clients();
    clients.session(0).isolates = true;
    expect(clients.isPrivate(0, "quotient")).toBe(true);
    expect(clients.isPrivate(1, "a")).toBe(false);
    expect(clients.isPrivate(-1, "constant")).toBe(false);
  });

  test("only before the server has it", () => {
    const clients = new Clients();
    clients.hold(0, "constant");
    const pending = clients.release(0);
    expect(clients.steps.isPrivate(pending)).toBe(false);
  });

  const SNAPSHOT = 0;
  const COMMIT = 1;
  test.each<[string, string[], string, number, boolean]>([
    ["the commit gate of a COMMIT", ["begin", "a"], "commit", COMMIT, true],
    ["not if something is deferred to it", ["begin", "late"], "commit", COMMIT, false],
    ["not if something unknown may be", ["begin", "?"], "commit", COMMIT, false],
    ["not the commit gate of a query", ["begin", "a"], "b", COMMIT, false],
    ["the snapshot gate of a later query", ["begin strictly", "a"], "b", SNAPSHOT, true],
    ["not that of the first one", ["begin strictly"], "b", SNAPSHOT, false],
    ["not at a level that may be weaker", ["begin loosely", "a"], "b", SNAPSHOT, false],
    ["nor where it becomes so", ["begin strictly", "begin loosely", "a"], "b", SNAPSHOT, false],
    ["not where each query has a snapshot", ["begin", "a"], "b", SNAPSHOT, false],
    ["not another gate", ["begin strictly", "a"], "b", 2, false],
  ])("at a gate where nothing has happened since the step began: %s", (...given) => {
    const [, block, sql, place, expected] = given;
    const clients = new Clients();
    for (const text of block) clients.run(0, text, "open");
    clients.hold(0, sql);
    const pending = clients.release(0);
    pending.reachGate({ place, open: () => {} });
    expect(clients.steps.isPrivate(pending)).toBe(expected);
    // A later gate of the same statement may follow a write.
    clients.steps.onRelease(pending);
    pending.release();
    pending.reachGate({ place: SNAPSHOT, open: () => {} });
    expect(clients.steps.isPrivate(pending)).toBe(false);
  });

  const ROW = 2;
  test.each<[string, string[], string, number, boolean]>([
    ["the snapshot gate", ["begin", "a"], "insert", SNAPSHOT, true],
    ["the row gate", ["begin", "a"], "insert", ROW, true],
    ["not the row gate after a value of a sequence", ["begin"], "numbered", ROW, false],
    ["the snapshot gate before that", ["begin"], "numbered", SNAPSHOT, true],
    ["not the commit gate", ["begin"], "insert", COMMIT, false],
    ["not at another level", ["begin strictly"], "insert", SNAPSHOT, false],
    ["not in autocommit without a gate before the commit", [], "insert", SNAPSHOT, false],
  ])("at a gate that an INSERT reaches unnoticed: %s", (...given) => {
    const [, block, sql, place, expected] = given;
    const clients = new Clients();
    for (const text of block) clients.run(0, text, "open");
    clients.hold(0, sql);
    const pending = clients.release(0);
    pending.reachGate({ place, open: () => {} });
    expect(clients.steps.isPrivate(pending)).toBe(expected);
  });
});
