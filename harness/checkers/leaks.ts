import type { Execution } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { Checker } from "./checker.ts";

const DESCRIPTIONS = {
  "no-open-transaction": "No session has a transaction open when all operations are answered.",
  "no-advisory-lock": "No session holds an advisory lock when all operations are answered.",
  "no-connection-in-use": "No connection is checked out when all operations are answered.",
} as const;

/** Checks that an execution leaves nothing behind that would affect later operations. */
export function leaksChecker<State extends Json, Op extends Operation>(): Checker<State, Op> {
  return {
    rules: Object.entries(DESCRIPTIONS).map(([name, description]) => ({
      checker: "leaks",
      name,
      description,
    })),
    check: (execution) => ({ violations: checkLeaks(execution) }),
  };
}

export function checkLeaks(execution: Execution): readonly Violation[] {
  const { openTransactions, advisoryLocks = [], connectionsInUse = 0 } = execution;
  return [
    ...leaked("no-open-transaction", openTransactions, "transaction(s) left open"),
    ...leaked("no-advisory-lock", advisoryLocks.length, "advisory lock(s) never released", [
      ...advisoryLocks.map((key) => ({ key })),
    ]),
    ...leaked("no-connection-in-use", connectionsInUse, "connection(s) never given back"),
  ];
}

function leaked(
  name: keyof typeof DESCRIPTIONS,
  count: number,
  what: string,
  evidence: readonly JsonObject[] = [],
): readonly Violation[] {
  return count === 0 ? [] : [{ checker: "leaks", name, message: `${count} ${what}`, evidence }];
}
