import { HarnessError } from "../core/error.ts";
import type { Connection } from "./connection.ts";

/** A session, as the server shows it to another one. */
export interface ObservedSession {
  /** Whether the server has a session with its process number. */
  readonly present: boolean;
  /** Whether the server names a session for which it waits. */
  readonly blocked: boolean;
  /** Whether it waits for a lock. */
  readonly waits: boolean;
}

/**
 * How long a server may take until it has begun a statement. What a check decides by is what the server
 * shows, however slow it is; this limit ends a check that would never end.
 */
export const LONGEST_MS = 60_000;

const STATE = `
  select activity.pid is not null as present, cardinality(pg_blocking_pids($1)) > 0 as blocked,
         coalesce(wait_event_type = 'Lock', false) as waits
    from (select) as one left join pg_stat_activity as activity on activity.pid = $1`;

const ABSENT = { present: false, blocked: false, waits: false };

/** How `client` sees the session of `other`. */
export function sessionSeenBy(
  client: Connection,
  other: Connection,
): () => Promise<ObservedSession> {
  const { processID } = other as Connection & { readonly processID: number };
  return async () => (await client.query<ObservedSession>(STATE, [processID])).rows[0] ?? ABSENT;
}

/**
 * Resolves when the server shows that a session waits for a lock of another.
 *
 * @param statement the statement that has to wait
 * @throws HarnessError PROVIDER_FAILED as soon as the server shows otherwise: there is no such session, the
 * statement ended without a wait, or it waits and the server does not name for which session
 */
export async function untilBlocked(
  look: () => Promise<ObservedSession>,
  statement: Promise<unknown>,
): Promise<void> {
  let ended = false;
  const end = () => {
    ended = true;
  };
  statement.then(end, end);
  const failed = (message: string) => new HarnessError("PROVIDER_FAILED", message);
  const until = performance.now() + LONGEST_MS;
  // One look reads two states of the server, between which the wait may have begun.
  for (let waited = false; performance.now() < until; ) {
    const { present, blocked, waits } = await look();
    if (blocked) return;
    if (!present) throw failed("the server has no session with the number that it gave to one");
    if (ended) throw failed("two sessions do not wait for each other's locks");
    if (waits && waited) throw failed("the server does not show for which session another waits");
    waited = waits;
  }
  throw failed(`the server has not begun a statement within ${LONGEST_MS / 1000} s`);
}
