import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Trace } from "../core/trace.ts";
import type { System } from "./system.ts";
import type { Workspace } from "./workspace.ts";

/** What leaks is checked by. */
export type Leftovers = Pick<Execution, "openTransactions" | "advisoryLocks" | "connectionsInUse">;

/**
 * What the sessions of an execution that has come to its end still have. The server is asked for
 * advisory locks only where some may have been taken.
 */
export async function leftovers<State extends Json, Op extends Operation>(
  { proxy, lockWaits, advisory }: Workspace,
  system: System<State, Op>,
  trace: Trace,
): Promise<Leftovers> {
  const sessions = [...proxy.sessions];
  const connectionsInUse = system.connectionsInUse?.();
  const locks =
    advisory || trace.some((e) => e.type === "statement" && /advisory/i.test(e.statement.sql));
  return {
    openTransactions: sessions.filter(({ transaction }) => transaction !== "idle").length,
    ...(locks && { advisoryLocks: await lockWaits.advisoryLocks(sessions.map(({ pid }) => pid)) }),
    ...(connectionsInUse !== undefined && { connectionsInUse }),
  };
}

/** Whether the sessions are as they were before. */
export function isClean({
  openTransactions,
  advisoryLocks = [],
  connectionsInUse = 0,
}: Leftovers): boolean {
  return openTransactions === 0 && advisoryLocks.length === 0 && connectionsInUse === 0;
}
