import type { Command } from "../core/command.ts";
import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Trace } from "../core/trace.ts";
import type { Parts } from "./parts.ts";
import type { System } from "./system.ts";

/** What hygiene is judged by. */
export type Leftovers = Pick<Execution, "openTransactions" | "advisoryLocks" | "connectionsInUse">;

/**
 * What the sessions of an execution that has come to its end still have. The server is asked for
 * advisory locks only where some may have been taken.
 */
export async function leftovers<State extends Json, C extends Command>(
  { proxy, lockWaits, advisory }: Parts,
  system: System<State, C>,
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
