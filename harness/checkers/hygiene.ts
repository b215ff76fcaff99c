import type { Execution } from "../core/execution.ts";
import type { JsonObject } from "../core/json.ts";
import type { Violation } from "../core/verdict.ts";

/** What must not be left when all commands are answered, by rule, with a sentence for a reader. */
export const HYGIENE_RULES = {
  "no-open-transaction": "No session has a transaction open when all commands are answered.",
  "no-advisory-lock": "No session holds an advisory lock when all commands are answered.",
  "no-connection-in-use": "No connection is checked out when all commands are answered.",
} as const;

/** Judges what an execution left behind, which the next commands would find. */
export function checkHygiene(execution: Execution): readonly Violation[] {
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
  name: keyof typeof HYGIENE_RULES,
  count: number,
  what: string,
  evidence: readonly JsonObject[] = [],
): readonly Violation[] {
  return count === 0 ? [] : [{ judge: "hygiene", name, message: `${count} ${what}`, evidence }];
}
