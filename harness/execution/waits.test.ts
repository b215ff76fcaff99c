import { describe, expect, test } from "vitest";
import type { ProxySession } from "../proxy/session.ts";
import { PendingStatements } from "./pending-statements.ts";
import { stableWaits } from "./quiescence.ts";
import { fakeSession } from "./session.fixture.ts";

/** Where client n's session, whose backend's pid is n + 1, stands. */
type Stage = "between" | "held" | "database" | "answered";

/** What `stableWaits` says, by task; undefined where it says that there is no rest. */
function waits(stages: readonly Stage[], blockers: { readonly [pid: number]: readonly number[] }) {
  const pending = new PendingStatements();
  const sessions: ProxySession[] = stages.map((stage, client) => {
    const session = fakeSession(client + 1);
    pending.arrive(session, { sql: "", values: [] }, client, () => true);
    const flight = pending.on(session);
    if (stage === "between") pending.land(session);
    else if (flight !== undefined) flight.stage = stage;
    return session;
  });
  const known = new Map(Object.entries(blockers).map(([pid, others]) => [Number(pid), others]));
  const stable = stableWaits(pending, sessions, known);
  return stable && [...stable].map(([flight, holders]) => [flight.task, ...holders]);
}

describe("at rest is", () => {
  test("nobody in the database", () => {
    expect(waits([], {})).toEqual([]);
    expect(waits(["between", "held", "answered"], {})).toEqual([]);
  });

  test.each([
    "between",
    "held",
    "answered",
  ] as const)("one that waits for a session whose statement is: %s", (holder) => {
    expect(waits([holder, "database"], { 2: [1] })).toEqual([["1", "0"]]);
  });

  test("a chain that ends at a client that is held", () => {
    const chain = { 1: [2], 2: [3], 3: [4] };
    expect(waits(["database", "database", "database", "held"], chain)).toEqual([
      ["0", "1"],
      ["1", "2"],
      ["2", "3"],
    ]);
  });

  test("one that waits for several, each named once and in order", () => {
    expect(waits(["held", "held", "database"], { 3: [2, 1, 2] })).toEqual([["2", "0", "1"]]);
  });

  test("two that wait for the same one", () => {
    const both = { 2: [1], 3: [1, 2] };
    expect(waits(["between", "database", "database"], both)).toEqual([
      ["1", "0"],
      ["2", "0", "1"],
    ]);
  });
});

describe("not at rest is", () => {
  test("one that does not wait", () => {
    expect(waits(["database"], { 1: [] })).toBeUndefined();
    expect(waits(["database"], {})).toBeUndefined();
    expect(waits(["held", "database", "database"], { 2: [1], 3: [] })).toBeUndefined();
  });

  test("one that waits for one that does not wait", () => {
    expect(waits(["database", "database"], { 1: [], 2: [1] })).toBeUndefined();
  });

  test("a cycle, which the server is about to break", () => {
    expect(waits(["database", "database"], { 1: [2], 2: [1] })).toBeUndefined();
    const three = { 1: [2], 2: [3], 3: [1] };
    expect(waits(["database", "database", "database"], three)).toBeUndefined();
  });

  test("one that waits for a cycle, or also for a held client in a cycle", () => {
    const tail = { 1: [2], 2: [1], 3: [1] };
    expect(waits(["database", "database", "database"], tail)).toBeUndefined();
    const mixed = { 2: [1, 3], 3: [2] };
    expect(waits(["held", "database", "database"], mixed)).toBeUndefined();
  });

  test("one that waits for a session that is not ours", () => {
    expect(waits(["database"], { 1: [99] })).toBeUndefined();
    expect(waits(["held", "database"], { 2: [1, 99] })).toBeUndefined();
  });

  test("one that waits for a prepared transaction, while a session is being opened", () => {
    const pending = new PendingStatements();
    const opening = fakeSession(0);
    const session = fakeSession(7);
    pending.arrive(session, { sql: "", values: [] }, 0, () => true);
    const flight = pending.on(session);
    if (flight !== undefined) flight.stage = "database";
    // pg_blocking_pids gives 0 for a prepared transaction.
    expect(stableWaits(pending, [opening, session], new Map([[7, [0]]]))).toBeUndefined();
  });
});
