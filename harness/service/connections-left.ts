import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { realNow } from "../core/real-clock.ts";
import type { Outcome } from "./scenario-definition.ts";

/** The time limit for connections to close after their client has ended, in ms. */
const CLOSE_MS = 1_000;

/**
 * Waits until a client has no connection left. The error if one stays open: it would disturb the next execution.
 * The time in which the client has a statement under way does not count, since the scheduler may hold it.
 *
 * @param connections.sessions the number of its open connections
 * @param connections.isBusy whether a statement of one of them is under way
 */
export async function connectionsLeft(
  client: string,
  outcome: Outcome,
  { sessions, isBusy }: { readonly sessions: () => number; readonly isBusy: () => boolean },
  closeMs = CLOSE_MS,
): Promise<HarnessError | undefined> {
  let since = realNow();
  while (sessions() > 0) {
    const now = realNow();
    if (isBusy()) since = now;
    if (now - since > closeMs) {
      return new HarnessError(
        "SERVICE_FAILED",
        `client "${client}" has ended${errorText(outcome)} and left ${sessions()} of its connections ` +
          "open: close them in a `finally` (client.end(), pool.end(), sql.end(), …)",
      );
    }
    await delay(1);
  }
  return undefined;
}

function errorText(outcome: Outcome): string {
  return "error" in outcome ? ` with ${outcome.error} (${outcome.message})` : "";
}
