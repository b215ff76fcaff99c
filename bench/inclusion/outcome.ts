import type { Snapshot } from "../../harness/core/execution.ts";
import type { Response } from "../../harness/core/history.ts";

/**
 * The outcome of an execution as a text: each client's answers and error, and the rows that are left.
 *
 * @param responses in the order of the clients
 */
export function outcomeOf(
  responses: readonly (Response | undefined)[],
  snapshot: Snapshot,
): string {
  return JSON.stringify({ responses, snapshot });
}
