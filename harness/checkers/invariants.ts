import type { Execution } from "../core/execution.ts";
import type { Invariant } from "../core/invariant.ts";
import type { Violation } from "../core/verdict.ts";

/**
 * Checkers committed state by the service's invariants: after each commit where that was observed,
 * and after the execution. Of each invariant it tells where it was broken first.
 */
export function checkInvariants(
  { commits = [], snapshot }: Execution,
  invariants: readonly Invariant[],
): readonly Violation[] {
  return invariants.flatMap((invariant) => {
    for (const commit of commits) {
      const broken = invariant.check(commit.snapshot);
      const at = `After the commit in step ${commit.step}: `;
      if (broken.length > 0) {
        return broken.map((violation) => ({ ...violation, message: at + violation.message }));
      }
    }
    return invariant.check(snapshot);
  });
}
