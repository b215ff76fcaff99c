import type { Invariant } from "../core/invariant.ts";

/** The invariant that a query, which is observed under its name, has no rows. */
export function noRows(query: string): Invariant {
  return {
    name: query,
    description: `The query ${query} has no rows.`,
    check(snapshot) {
      const rows = snapshot[query];
      if (rows?.length === 0) return [];
      const message =
        rows === undefined
          ? "The query was not asked: its result is missing."
          : `The query has ${rows.length} ${rows.length === 1 ? "row" : "rows"}.`;
      return [{ checker: "invariant", name: query, message, evidence: rows ?? [] }];
    },
  };
}
