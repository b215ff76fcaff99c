import type { Execution } from "../core/execution.ts";
import type { JsonObject } from "../core/json.ts";
import type { Violation } from "../core/verdict.ts";

/** What must not be left when all operations are answered, by rule, with a sentence for a reader. */
export const LEAK_RULES = {
  "no-open-transaction": "No session has a transaction open when all operations are answered.",
  "no-advisory-lock": "No session holds an advisory lock when all operations are answered.",
  "no-connection-in-use": "No connection is checked out when all operations are answered.",
} as const;

/** Checkers what an execution left behind, which the next operations would find. */
export function checkLeaks(execution: Execution): readonly Violation[] {
  const { openTransactions, advisoryLocks = [], connectionsInUse = 0 } = execution;
  return [
    ...left("no-open-transaction", openTransactions, "transaction(s) left open"),
    ...left("no-advisory-lock", advisoryLocks.length, "advisory lock(s) never released", [
      ...advisoryLocks.map((key) => ({ key })),
    ]),
    ...left("no-connection-in-use", connectionsInUse, "connection(s) never given back"),
  ];
}

function left(
  name: keyof typeof LEAK_RULES,
  count: number,
  what: string,
  evidence: readonly JsonObject[] = [],
): readonly Violation[] {
  return count === 0 ? [] : [{ checker: "leaks", name, message: `${count} ${what}`, evidence }];
}
