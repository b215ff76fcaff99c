import { describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { WireProxy } from "../proxy/wire-proxy.ts";
import type { LockWaits } from "./lock-waits.ts";
import { PendingStatements } from "./pending-statements.ts";
import { Quiescence } from "./quiescence.ts";
import { fakeSession } from "./session.fixture.ts";

/** Client 1 is in the database, and is said to wait for client 0, which is held. */
const WAITS = new Map([[2, [1]]]);
const RUNS = new Map([[2, []]]);

/** A rest whose server answers as it is told to, one answer after the other. */
function asking(
  answers: readonly ((rest: Quiescence) => ReadonlyMap<number, readonly number[]>)[],
  {
    unsettled = (): string | undefined => undefined,
    stepTimeoutMs = 5_000,
    inDatabase = true,
  } = {},
) {
  const pending = new PendingStatements();
  const sessions = [fakeSession(1), fakeSession(2)];
  sessions.forEach((session, client) => {
    pending.arrive(session, { sql: "select 1", values: [] }, client, () => true);
    const flight = pending.on(session);
    if (flight === undefined || client === 0 || !inDatabase) return;
    flight.stage = "database";
    flight.waiting = true;
  });
  let asked = 0;
  const lockWaits: Pick<LockWaits, "blockers"> = {
    blockers: async () => {
      const answer = answers[asked++];
      if (answer === undefined) throw new Error("asked too often");
      return new Map(answer(rest));
    },
  };
  const proxy: Pick<WireProxy, "sessions"> = { sessions: new Set(sessions) };
  const rest: Quiescence = new Quiescence(
    {
      proxy: proxy as WireProxy,
      lockWaits: lockWaits as LockWaits,
      pushed: true,
      stepTimeoutMs,
    },
    pending,
    unsettled,
  );
  const reached = async () => [...(await rest.reached())].map(([{ task }, on]) => [task, ...on]);
  return { rest, reached, asked: () => asked };
}

const STABLE = [["1", "0"]];

describe("rest is reached", () => {
  test("without a question when nobody is in the database", async () => {
    const { reached, asked } = asking([], { inDatabase: false });
    expect(await reached()).toEqual([]);
    expect(asked()).toBe(0);
  });

  test("by one question when everybody waits for one that is held", async () => {
    const { reached, asked } = asking([() => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(1);
  });

  test("by another question when something happened while the server answered", async () => {
    const stale = (rest: Quiescence) => {
      rest.disturb();
      return WAITS;
    };
    const { reached, asked } = asking([stale, stale, () => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(3);
  });

  test("by another question when what the server had sent before is read after its answer", async () => {
    const late = (rest: Quiescence) => {
      setImmediate(() => rest.disturb());
      return WAITS;
    };
    const { reached, asked } = asking([late, () => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(2);
  });

  test("by another question even if only the server had something to do since the last rest", async () => {
    const late = (rest: Quiescence) => {
      setImmediate(() => rest.disturbInside());
      return WAITS;
    };
    const { rest, reached, asked } = asking([() => WAITS, late, () => WAITS]);
    await reached();
    rest.disturbInside();
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(3);
  });

  test("after some turns if the service was told something, without any if only the server was", async () => {
    const { rest, reached } = asking([], { inDatabase: false });
    const turnsOf = async (disturb: () => void) => {
      disturb();
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
    expect(await turnsOf(() => rest.disturb())).toBeGreaterThan(2);
    expect(await turnsOf(() => rest.disturbInside())).toBe(0);
  });

  test("only when the one that runs has come to wait", async () => {
    const { reached, asked } = asking([() => RUNS, () => RUNS, () => WAITS]);
    expect(await reached()).toEqual(STABLE);
    expect(asked()).toBe(3);
  });

  test("only when the running client has left the service", async () => {
    let unsettled: string | undefined = "client 0 is in the service";
    const { rest, reached, asked } = asking([() => WAITS], { unsettled: () => unsettled });
    const reaching = reached();
    rest.disturb();
    expect(asked()).toBe(0);
    unsettled = undefined;
    rest.disturb();
    expect(await reaching).toEqual(STABLE);
  });
});

describe("rest is not reached", () => {
  test("in time: what is under way is named", async () => {
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
    const { rest, reached } = asking([], { unsettled: () => "client 0 is in the service" });
    const reaching = reached();
    rest.fail(new HarnessError("CONNECTION_LOST", "first"));
    rest.fail(new HarnessError("INTERRUPTED", "second"));
    await expect(reaching).rejects.toThrow("first");
  });
});
