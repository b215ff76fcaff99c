import type { Execution } from "../core/execution.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Invariant, Violation } from "../core/verdict.ts";
import type { Checker } from "./checker.ts";

/** Checks committed state against a service's invariants, and that its queries return no rows. */
export function invariantChecker<State extends Json, Op extends Operation>(
  invariants: readonly Invariant[],
  queries: readonly { readonly name: string }[] = [],
): Checker<State, Op> {
  const all = [...invariants, ...queries.map(({ name }) => noRows(name))];
  return {
    rules: all.map(({ name, description }) => ({ checker: "invariant", name, description })),
    check: (execution) => ({ violations: checkInvariants(execution, all) }),
  };
}

/**
 * Checks each invariant after each commit, where that was observed, and after the execution. The
 * violations of an invariant are those of the first state that breaks it.
 */
export function checkInvariants(
  { commits = [], snapshot }: Execution,
  invariants: readonly Invariant[],
): readonly Violation[] {
  return invariants.flatMap((invariant) => {
    for (const commit of commits) {
      const violations = invariant.check(commit.snapshot);
      const prefix = `After the commit in step ${commit.step}: `;
      if (violations.length > 0) {
        return violations.map((violation) => ({
          ...violation,
          message: prefix + violation.message,
        }));
      }
    }
    return invariant.check(snapshot);
  });
}

/** The invariant that a query returns no rows; snapshots hold its result under its name. */
export function noRows(query: string): Invariant {
  return {
    name: query,
    description: `The query ${query} has no rows.`,
    check(snapshot) {
      const rows = snapshot[query];
      if (rows?.length === 0) return [];
      const message =
        rows === undefined
          ? "The query was not executed: its result is missing."
          : `The query has ${rows.length} ${rows.length === 1 ? "row" : "rows"}.`;
      return [{ checker: "invariant", name: query, message, evidence: rows ?? [] }];
    },
  };
}
