import type { Command } from "../core/command.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { type Operation, operations, type Response } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { operationKey, struckOperations } from "../core/struck.ts";
import type { Violation } from "../core/verdict.ts";

interface Contract {
  /** Every response code that a service may give, by command name. */
  readonly codes: { readonly [command: string]: readonly string[] };
  /** What is said of an answer that has none of them. */
  unexpected?(command: string, response: Response): string;
}

const EXEMPT = "A command that a fault struck may fail in any way.";

/** The rules of the service contract, by name, with a sentence for a reader. */
export const CONTRACT_RULES = {
  "no-server-error": `No answer has an HTTP status of 500 or above. ${EXEMPT}`,
  "known-codes": `Every answer has a code that is known for its command. ${EXEMPT}`,
  "no-endless-wait": "No command waits for something that nobody will ever release.",
} as const;

/**
 * Judges what the service answered, and whether it did. A command that a fault struck, but that
 * succeeds, is held to its codes all the same.
 */
export function checkContract(execution: Execution, contract: Contract): readonly Violation[] {
  const struck = struckOperations(execution.trace);
  const answered = operations(historyOf(execution.trace))
    .filter(({ response, ...operation }) => {
      return response?.outcome === "ok" || !struck.has(operationKey(operation));
    })
    .flatMap((operation) => checkAnswer(operation, contract));
  const { ending } = execution;
  if (ending.type === "complete") return answered;
  return [...answered, broken("no-endless-wait", `clients wait for ever: ${ending.waits}`, [])];
}

function checkAnswer(operation: Operation, contract: Contract): readonly Violation[] {
  const { response, command } = operation;
  if (response === undefined) return [];
  const said = `client ${operation.client}'s ${command.name} was answered`;
  const status = response.status ?? 0;
  if (status >= 500) {
    const message = `${said} with the status ${status} (${response.code})`;
    return [broken("no-server-error", message, [asEvidence(operation)])];
  }
  if (contract.codes[command.name]?.includes(response.code)) return [];
  const message =
    contract.unexpected?.(command.name, response) ??
    `${said} with ${response.code}, which is no code of that command`;
  return [broken("known-codes", message, [asEvidence(operation)])];
}

function asEvidence(operation: Operation<Command>): JsonObject {
  const { client, index, command, response } = operation;
  return { client, index, command: { ...command }, response: { ...response } as Json };
}

function broken(
  name: keyof typeof CONTRACT_RULES,
  message: string,
  evidence: readonly JsonObject[],
): Violation {
  return { judge: "contract", name, message, evidence };
}
