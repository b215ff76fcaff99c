import { describe, expect, test } from "vitest";
import { drive, FakeSession } from "../proxy/pending-statement.fixture.ts";
import type { PendingStatement, StatementState } from "../proxy/pending-statement.ts";
import { BlockedBackends } from "./blocked-backends.ts";
import { PendingStatements } from "./pending-statements.ts";

/** Statements of one client each, in those states. */
function blocked(states: readonly StatementState["at"][], { canStop = true } = {}) {
  const signals: string[] = [];
  const statements = new PendingStatements({ isActive: () => true, ownerOf: () => undefined });
  const pending = states.map((state, client) => {
    const session = new FakeSession(client + 1);
    const statement = session.hold();
    statements.add(statement, client);
    drive(statement, session, state);
    return statement;
  });
  const local = {
    stop: (pid: number) => signals.push(`stop ${pid}`),
    resume: (pid: number) => signals.push(`resume ${pid}`),
  };
  const backends = new BlockedBackends(statements, canStop ? local : undefined);
  const waits = (...holders: (readonly string[])[]) =>
    new Map(pending.map((statement, index) => [statement, holders[index] ?? []]));
  return { backends, pending, signals, waits };
}

const states = (pending: readonly PendingStatement[]) => pending.map(({ state }) => state.at);

describe("before a step", () => {
  test("the backends are stopped that have reported their waits, and no others", () => {
    const { backends, pending, signals } = blocked([
      "held",
      "running",
      "waiting",
      "gate",
      "waiting",
    ]);
    backends.stopWaiting();
    expect(states(pending)).toEqual(["held", "running", "stopped", "gate", "stopped"]);
    expect(signals).toEqual(["stop 3", "stop 5"]);
  });

  test("no backend is stopped where that is not possible", () => {
    const { backends, pending } = blocked(["waiting"], { canStop: false });
    backends.stopWaiting();
    expect(states(pending)).toEqual(["waiting"]);
  });

  test("a chosen woken statement continues, and the ones that wait are stopped", () => {
    const { backends, pending, signals } = blocked(["woken", "waiting", "woken"]);
    const [chosen] = pending;
    if (chosen !== undefined) backends.proceed(chosen);
    expect(states(pending)).toEqual(["running", "stopped", "woken"]);
    expect(signals).toEqual(["stop 2"]);
  });
});

describe("at quiescence", () => {
  test("the backends that still wait are resumed", () => {
    const { backends, pending, waits } = blocked(["stopped", "stopped"]);
    expect(backends.wakeUp(waits(["2"], ["2"]))).toBe(true);
    expect(states(pending)).toEqual(["waiting", "waiting"]);
  });

  test("several whose waits have ended stay stopped until one is chosen", () => {
    const { backends, pending, waits } = blocked(["stopped", "stopped", "stopped"]);
    expect(backends.wakeUp(waits([], [], ["0"]))).toBe(true);
    expect(states(pending)).toEqual(["woken", "woken", "waiting"]);
  });

  test("the only one whose wait has ended continues by itself, while the others stay stopped", () => {
    const { backends, pending, waits } = blocked(["stopped", "stopped"]);
    expect(backends.wakeUp(waits([], ["0"]))).toBe(false);
    expect(states(pending)).toEqual(["running", "stopped"]);
  });

  test("a wait that was never stopped is left as it is", () => {
    const { backends, pending, waits } = blocked(["running", "waiting"]);
    expect(backends.wakeUp(waits(["1"], ["2"]))).toBe(true);
    expect(states(pending)).toEqual(["running", "waiting"]);
  });
});

test("every backend that is stopped is resumed at the end of a run", () => {
  const { backends, pending } = blocked(["stopped", "woken", "running", "held"]);
  backends.resume();
  expect(states(pending)).toEqual(["waiting", "running", "running", "held"]);
});
