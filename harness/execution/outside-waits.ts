import { createHash } from "node:crypto";
import { clientOf } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";

/** What a report calls it when a client has waited outside the database. */
export const OUTSIDE_WAITS =
  "the moment at which a client goes on that waited outside the database";

/** What a report says where a client has waited so. */
export const WAITED_OUTSIDE =
  "A client waited outside the database (for a timer, a lock in memory, a notification or another client), and others went on meanwhile: when it goes on is not chosen.";

/** The part of the step timeout after which a client that does nothing waits outside the database. */
const SHARE = 0.2;

/** The same where it has waited at this point before. */
const KNOWN_SHARE = 0.02;

/**
 * Tells how long a client may do nothing until it is taken to wait outside the database: for a timer, a lock in
 * memory, a notification or another client. A client that has executed the same statements with the same answers
 * as one that waited in an earlier execution is most likely to wait too, so less time will do.
 */
export class OutsideWaits {
  readonly #known = new Set<string>();

  /** Whether the client of the running execution waits, given for how long nothing has happened, in ms. */
  waits(client: number, trace: Trace, quietMs: number, stepTimeoutMs: number): boolean {
    if (quietMs < stepTimeoutMs * KNOWN_SHARE) return false;
    const point = pointOf(client, trace);
    if (quietMs < stepTimeoutMs * SHARE && !this.#known.has(point)) return false;
    this.#known.add(point);
    return true;
  }
}

/** What a client has done: its statements and the tags of their answers. */
function pointOf(client: number, trace: Trace): string {
  const own = trace.filter(
    (event) =>
      (event.type === "statement" || event.type === "result") && clientOf(event.task) === client,
  );
  return createHash("sha256")
    .update(JSON.stringify([client, own]))
    .digest("base64");
}
