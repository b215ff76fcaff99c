import type { Task } from "../core/schedule.ts";
import type { ProxySession } from "../proxy/session.ts";
import type { PendingStatement, PendingStatements } from "./pending-statements.ts";

/** Who waits for whom, as the server said it. */
export type Blockers = ReadonlyMap<number, readonly number[]>;

/**
 * Whether every statement in the database waits for a lock that stays held until somebody else
 * moves. Returns, for each, the tasks that it waits for (none for one whose wait has ended while it
 * was frozen); undefined when a statement does not wait,
 * or when its wait is going to end by itself:
 *
 * - whoever it waits for is in the database too and does not wait: it may finish at any moment;
 * - the waits form a cycle: the server is about to break it (a deadlock);
 * - it waits for a session that is none of ours.
 *
 * A chain that ends at a session whose client is held, or is between two statements, is stable:
 * that session cannot release anything before it is chosen.
 */
export function stableWaits(
  pending: PendingStatements,
  sessions: Iterable<ProxySession>,
  blockers: Blockers,
): Map<PendingStatement, readonly Task[]> | undefined {
  const byPid = new Map([...sessions].map((session) => [session.pid, session]));
  // A session that is being opened has no pid yet, and 0 is how a prepared transaction is named.
  byPid.delete(0);
  const waits = new Map<PendingStatement, readonly Task[]>();
  for (const flight of pending.inDatabase()) {
    const names = new Set<Task>();
    for (const pid of blockers.get(flight.session.pid) ?? []) {
      const holder = byPid.get(pid);
      if (holder === undefined) return undefined;
      names.add(pending.nameOf(holder));
    }
    // One that is frozen does not go on, although nothing holds it any more.
    if (names.size === 0 && !flight.frozen) return undefined;
    waits.set(flight, [...names].sort());
  }
  const pids = [...waits.keys()].map((flight) => flight.session.pid);
  return pids.some((pid) => reaches(pid, pid, blockers)) ? undefined : waits;
}

/** Whether `from` waits, over any number of others, for `target`. */
function reaches(from: number, target: number, blockers: Blockers): boolean {
  const seen = new Set<number>();
  const open = [...(blockers.get(from) ?? [])];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    if (pid === target) return true;
    if (seen.has(pid)) continue;
    seen.add(pid);
    open.push(...(blockers.get(pid) ?? []));
  }
  return false;
}
