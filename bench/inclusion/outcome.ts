import type { Snapshot } from "../../harness/core/execution.ts";
import type { Response } from "../../harness/core/history.ts";

/** All that is compared: each client's answers and error, and the rows that are left. Equal as a text. */
export type CanonicalOutcome = string & { readonly brand?: "outcome" };

/** The outcome of an execution, given the responses in the order of the clients. */
export function outcomeOf(
  responses: readonly (Response | undefined)[],
  snapshot: Snapshot,
): CanonicalOutcome {
  return JSON.stringify({ responses, snapshot });
}
