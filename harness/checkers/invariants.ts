import type { Execution } from "../core/execution.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Violation } from "../core/verdict.ts";

/** Judges the committed state after an execution by the subject's invariants. */
export function checkInvariants(
  execution: Execution,
  invariants: readonly Invariant[],
): readonly Violation[] {
  return invariants.flatMap((invariant) => invariant.check(execution.snapshot));
}
