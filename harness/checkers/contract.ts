import { affectedOperations, operationKey } from "../core/affected-operations.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { type Call, calls, type Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";

interface Contract {
  /** Every response code that a service may give, by operation name. */
  readonly codes: { readonly [operation: string]: readonly string[] };
  /** What is said of an answer that has none of them. */
  unexpected?(operation: string, response: Response): string;
}

const EXEMPT = "A operation that a fault struck may fail in any way.";

/** The rules of the service contract, by name, with a sentence for a reader. */
export const CONTRACT_RULES = {
  "no-server-error": `No answer has an HTTP status of 500 or above. ${EXEMPT}`,
  "known-codes": `Every answer has a code that is known for its operation. ${EXEMPT}`,
  "no-endless-wait": "No operation waits for something that nobody will ever release.",
} as const;

/**
 * Checkers what the service answered, and whether it did. A operation that a fault struck, but that
 * succeeds, is held to its codes all the same.
 */
export function checkContract(execution: Execution, contract: Contract): readonly Violation[] {
  const struck = affectedOperations(execution.trace);
  const answered = calls(historyOf(execution.trace))
    .filter(({ response, ...call }) => {
      return response?.outcome === "ok" || !struck.has(operationKey(call));
    })
    .flatMap((call) => checkAnswer(call, contract));
  const { ending } = execution;
  if (ending.type === "complete") return answered;
  return [...answered, broken("no-endless-wait", `clients wait for ever: ${ending.waits}`, [])];
}

function checkAnswer(call: Call, contract: Contract): readonly Violation[] {
  const { response, operation } = call;
  if (response === undefined) return [];
  const said = `client ${call.client}'s ${operation.name} was answered`;
  const status = response.status ?? 0;
  if (status >= 500) {
    const message = `${said} with the status ${status} (${response.code})`;
    return [broken("no-server-error", message, [asEvidence(call)])];
  }
  if (contract.codes[operation.name]?.includes(response.code)) return [];
  const message =
    contract.unexpected?.(operation.name, response) ??
    `${said} with ${response.code}, which is no code of that operation`;
  return [broken("known-codes", message, [asEvidence(call)])];
}

function asEvidence(call: Call<Operation>): JsonObject {
  const { client, index, operation, response } = call;
  return { client, index, operation: { ...operation }, response: { ...response } as Json };
}

function broken(
  name: keyof typeof CONTRACT_RULES,
  message: string,
  evidence: readonly JsonObject[],
): Violation {
  return { checker: "contract", name, message, evidence };
}
