import type { Client } from "pg";
import { expect } from "vitest";
import { pidOf, type testDatabase } from "./database.fixture.ts";

export type DatabaseCall = (session: Client) => Promise<Record<string, unknown>>;

/** Two calls of which one has to wait for the other. */
export function contention(database: ReturnType<typeof testDatabase>) {
  /** Starts a call that has to wait for a lock; what it came to is known once the lock is free. */
  async function waiting(call: DatabaseCall) {
    const session = await database.session();
    const pid = await pidOf(session);
    const outcome = Promise.allSettled([call(session)]).then(([settled]) => settled);
    await database.blocked(pid, outcome);
    return { pid, outcome };
  }

  /** Runs `first` in a transaction that stays open until `second` waits for it, and then ends. */
  async function inTurn(first: DatabaseCall, second: DatabaseCall, end: "commit" | "rollback" = "commit") {
    const session = await database.session();
    await session.query("begin");
    await first(session);
    const { outcome } = await waiting(second);
    await session.query(end);
    const settled = await outcome;
    expect(await database.failures()).toEqual([]);
    return settled;
  }

  return { waiting, inTurn };
}

export const done = (value: object) => ({
  status: "fulfilled",
  value: expect.objectContaining(value),
});
export const refused = (code: string) => ({
  status: "rejected",
  reason: expect.objectContaining({ code }),
});
