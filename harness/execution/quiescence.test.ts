import { describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { drive, FakeSession } from "../proxy/pending-statement.fixture.ts";
import type { StatementState } from "../proxy/pending-statement.ts";
import { PendingStatements } from "./pending-statements.ts";
import { Quiescence, stableWaits } from "./quiescence.ts";

/** Client 1 waits for client 0, according to the server. */
const WAITS = new Map([[2, [1]]]);
const RUNS = new Map([[2, []]]);

/** No statement of the client is under way, or one in that state. */
type Position = "none" | StatementState["at"];

/** Statements of one client each, whose backends' pids are the client's number plus 1. */
function clients(positions: readonly Position[]) {
  const statements = new PendingStatements({
    isActive: () => true,
    ownerOf: () => undefined,
    hasSessions: () => true,
  });
  const sessions = positions.map((position, client) => {
    const session = new FakeSession(client + 1);
    const pending = session.hold();
    statements.add(pending, client);
    if (position === "none") statements.remove(session);
    else drive(pending, session, position);
    return session;
  });
  return { statements, sessions };
}

/** Client 0 is held. The server gives the answers one after the other. */
function asking(
  answers: readonly ((quiescence: Quiescence) => ReadonlyMap<number, readonly number[]>)[],
  {
    unsettled = (): string | undefined => undefined,
    stepTimeoutMs = 5_000,
    other = "waiting" as StatementState["at"],
  } = {},
) {
  const { statements, sessions } = clients(["held", other]);
  let asked = 0;
  const server = {
    blockers: async () => {
      const answer = answers[asked++];
      if (answer === undefined) throw new Error("the server was asked too often");
      return answer(quiescence);
    },
  };
  const quiescence: Quiescence = new Quiescence(
    statements,
    sessions,
    server,
    { pushed: true, stepTimeoutMs, runsOutMs: 5 },
    unsettled,
  );
  const reached = async () =>
    [...(await quiescence.reached())].map(([{ task }, on]) => [task, ...on]);
  return { quiescence, sessions, reached, asked: () => asked };
}

const STABLE = [["1", "0"]];

describe("a stopped backend that holds what others need is resumed", () => {
  /** Client 0 runs, and client 1 is stopped: its wait has ended by a timeout of its own. */
  function stoppedMidway(
    blockers: (session: FakeSession) => Promise<ReadonlyMap<number, number[]>>,
  ) {
    const { statements, sessions } = clients(["running", "stopped"]);
    const [first, second] = sessions;
    if (first === undefined || second === undefined) throw new Error("two clients");
    const limits = { pushed: false, stepTimeoutMs: 5_000, stoppedMs: 5 };
    const server = {
      blockers: async () => {
        const answer = await blockers(second);
        if (second.calls.includes("resume 2")) {
          statements.remove(first);
          statements.remove(second);
          quiescence.noteActivity();
        }
        return answer;
      },
    };
    const quiescence = new Quiescence(statements, sessions, server, limits, () => undefined);
    return { quiescence, second };
  }

  const NOBODY = new Map([
    [1, []],
    [2, []],
  ]);

  test("when a statement runs and nothing happens", async () => {
    const { quiescence, second } = stoppedMidway(async () => NOBODY);
    expect([...(await quiescence.reached())]).toEqual([]);
    expect(second.calls).toEqual(["resume 2"]);
  });

  test("when the server does not answer what waits", async () => {
    const { quiescence, second } = stoppedMidway(async (stopped) => {
      await expect.poll(() => stopped.calls, { interval: 1 }).toContain("resume 2");
      return NOBODY;
    });
    expect([...(await quiescence.reached())]).toEqual([]);
    expect(second.calls).toEqual(["resume 2"]);
  });
});

describe("quiescence is reached", () => {
  test("without a question when no statement is in the server", async () => {
    const { reached, asked } = asking([], { other: "held" });
    expect(await reached()).toEqual([]);
    expect(asked()).toBe(0);
  });

  test("by one question when each statement in the server waits for one that is held", async () => {
    const { reached, asked } = asking([() => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(1);
  });

  test("by another question when something happened while the server answered", async () => {
    const stale = (quiescence: Quiescence) => {
      quiescence.noteActivity();
      return WAITS;
    };
    const { reached, asked } = asking([stale, stale, () => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(3);
  });

  test("by another question when an earlier message of the server is read after its answer", async () => {
    const late = (quiescence: Quiescence) => {
      setImmediate(() => quiescence.noteActivity());
      return WAITS;
    };
    const { reached, asked } = asking([late, () => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(2);
  });

  test("by another question even if only the server was active since the last time", async () => {
    const late = (quiescence: Quiescence) => {
      setImmediate(() => quiescence.noteServerActivity());
      return WAITS;
    };
    const { quiescence, reached, asked } = asking([() => WAITS, late, () => WAITS]);
    await reached();
    quiescence.noteServerActivity();
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(3);
  });

  test("after some turns if the service was active, and at once if only the server was", async () => {
    const { quiescence, reached } = asking([], { other: "held" });
    const turnsAfter = async (note: () => void) => {
      note();
      let turns = 0;
      let over = false;
      const count = () => {
        if (over) return;
        turns++;
        setImmediate(count);
      };
      setImmediate(count);
      await reached();
      over = true;
      return turns;
    };
    expect(await turnsAfter(() => quiescence.noteActivity())).toBeGreaterThan(2);
    expect(await turnsAfter(() => quiescence.noteServerActivity())).toBe(0);
  });

  test("with a wait that should have ended by a short timeout, and has not", async () => {
    const { quiescence, reached, asked, sessions } = asking([() => WAITS, () => WAITS]);
    sessions[1]?.ownTimeout.note("set lock_timeout = 5");
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(2);
    expect(quiescence.awaitedTimeout).toBe(false);
    expect(sessions[1]?.ownTimeout.isShort).toBe(false);
  });

  test("only once a statement that runs has come to wait", async () => {
    const { reached, asked } = asking([() => RUNS, () => RUNS, () => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(3);
  });

  test("only once the running client has left the service", async () => {
    let unsettled: string | undefined = "client 0 is in the service";
    const { quiescence, reached, asked } = asking([() => WAITS], { unsettled: () => unsettled });
    const reaching = reached();
    quiescence.noteActivity();
    expect(asked()).toBe(0);
    unsettled = undefined;
    quiescence.noteActivity();
    expect(await reaching).toEqual(STABLE);
  });
});

describe("quiescence is not reached", () => {
  test("in time: the error names what is under way", async () => {
    const unsettled = () => "client 0 is in the service";
    const { reached } = asking([], { unsettled, stepTimeoutMs: 20 });
    await expect(reached()).rejects.toMatchObject({
      code: "STEP_TIMEOUT",
      message: expect.stringMatching(
        /within 20 ms: client 0 is in the service; task 1 is in the database with: select 1; raise/,
      ),
    });
  });

  test("after a failure, which is thrown: the first of several", async () => {
    const { quiescence, reached } = asking([], { unsettled: () => "client 0 is in the service" });
    const reaching = reached();
    quiescence.fail(new HarnessError("CONNECTION_LOST", "first"));
    quiescence.fail(new HarnessError("INTERRUPTED", "second"));
    await expect(reaching).rejects.toThrow("first");
  });
});

/** The result of `stableWaits`, by task. */
function waits(
  positions: readonly Position[],
  blockers: { readonly [pid: number]: readonly number[] },
) {
  const { statements, sessions } = clients(positions);
  const byPid = new Map(Object.entries(blockers).map(([pid, others]) => [Number(pid), others]));
  const stable = stableWaits(statements, sessions, byPid);
  return stable && [...stable].map(([{ task }, holders]) => [task, ...holders]);
}

describe("stable are the waits", () => {
  test("of no statement at all", () => {
    expect(waits([], {})).toEqual([]);
    expect(waits(["none", "held", "gate", "woken", "answered", "lost"], {})).toEqual([]);
  });

  test.each([
    "none",
    "held",
    "gate",
    "woken",
    "answered",
    "lost",
  ] as const)("of a statement that waits for a session in the state: %s", (holder) => {
    expect(waits([holder, "waiting"], { 2: [1] })).toEqual([["1", "0"]]);
    expect(waits([holder, "running"], { 2: [1] })).toEqual([["1", "0"]]);
  });

  test("of a chain that ends at a client that is held", () => {
    const chain = { 1: [2], 2: [3], 3: [4] };
    expect(waits(["waiting", "waiting", "waiting", "held"], chain)).toEqual([
      ["0", "1"],
      ["1", "2"],
      ["2", "3"],
    ]);
  });

  test("of one that waits for several, each named once and in order", () => {
    expect(waits(["held", "held", "waiting"], { 3: [2, 1, 2] })).toEqual([["2", "0", "1"]]);
  });

  test("of two that wait for the same one", () => {
    const both = { 2: [1], 3: [1, 2] };
    expect(waits(["none", "waiting", "waiting"], both)).toEqual([
      ["1", "0"],
      ["2", "0", "1"],
    ]);
  });

  test("of one whose wait has ended while its backend was stopped: it waits for nothing", () => {
    expect(waits(["stopped", "held"], { 1: [] })).toEqual([["0"]]);
  });
});

describe("not stable are the waits", () => {
  test("when a statement does not wait", () => {
    expect(waits(["running"], { 1: [] })).toBeUndefined();
    expect(waits(["waiting"], {})).toBeUndefined();
    expect(waits(["held", "waiting", "running"], { 2: [1], 3: [] })).toBeUndefined();
  });

  test("of a statement that waits for one that does not wait", () => {
    expect(waits(["running", "waiting"], { 1: [], 2: [1] })).toBeUndefined();
  });

  test("of a cycle, which the server is about to break", () => {
    expect(waits(["waiting", "waiting"], { 1: [2], 2: [1] })).toBeUndefined();
    const three = { 1: [2], 2: [3], 3: [1] };
    expect(waits(["waiting", "waiting", "running"], three)).toBeUndefined();
  });

  test("of one that waits for a cycle, or also for a held client in a cycle", () => {
    const tail = { 1: [2], 2: [1], 3: [1] };
    expect(waits(["waiting", "waiting", "waiting"], tail)).toBeUndefined();
    const mixed = { 2: [1, 3], 3: [2] };
    expect(waits(["held", "waiting", "waiting"], mixed)).toBeUndefined();
  });

  test("of one that waits for a session that is not the proxy's", () => {
    expect(waits(["waiting"], { 1: [99] })).toBeUndefined();
    expect(waits(["held", "waiting"], { 2: [1, 99] })).toBeUndefined();
  });

  test("of one that waits for a prepared transaction, while a session is being opened", () => {
    const { statements } = clients([]);
    const opening = new FakeSession(0);
    const session = new FakeSession(7);
    const pending = session.hold();
    statements.add(pending, 0);
    drive(pending, session, "waiting");
    // pg_blocking_pids names a prepared transaction by 0.
    expect(stableWaits(statements, [opening, session], new Map([[7, [0]]]))).toBeUndefined();
  });
});
