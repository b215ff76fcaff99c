import { affectedOperations, operationKey } from "../core/affected-operations.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { type Call, calls } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { CheckedService, Checker } from "./checker.ts";

type Contract = Pick<CheckedService, "codes" | "unexpected">;

const EXEMPTION = "An operation that a fault affects may fail in any way.";

const DESCRIPTIONS = {
  "no-server-error": `No answer has an HTTP status of 500 or above. ${EXEMPTION}`,
  "known-codes": `Every answer has a code that is known for its operation. ${EXEMPTION}`,
  "no-endless-wait": "No operation waits for something that will never be released.",
} as const;

/** Checks the answers of a service, and that it answers. */
export function contractChecker<State extends Json, Op extends Operation>(
  contract: Contract,
): Checker<State, Op> {
  return {
    rules: Object.entries(DESCRIPTIONS).map(([name, description]) => ({
      checker: "contract",
      name,
      description,
    })),
    check: (execution) => ({ violations: checkContract(execution, contract) }),
  };
}

/** An affected operation that succeeds has to have a known code all the same. */
export function checkContract(execution: Execution, contract: Contract): readonly Violation[] {
  const affected = affectedOperations(execution.trace);
  const answered = calls(historyOf(execution.trace))
    .filter(({ response, ...call }) => {
      return response?.outcome === "ok" || !affected.has(operationKey(call));
    })
    .flatMap((call) => checkAnswer(call, contract));
  const { completion } = execution;
  if (completion.type === "complete") return answered;
  return [...answered, broken("no-endless-wait", `clients wait forever: ${completion.waits}`, [])];
}

function checkAnswer(call: Call, contract: Contract): readonly Violation[] {
  const { response, operation } = call;
  if (response === undefined) return [];
  const answered = `client ${call.client}'s ${operation.name} was answered`;
  const status = response.status ?? 0;
  if (status >= 500) {
    const message = `${answered} with the status ${status} (${response.code})`;
    return [broken("no-server-error", message, [evidenceOf(call)])];
  }
  if (contract.codes[operation.name]?.includes(response.code)) return [];
  const message =
    contract.unexpected?.(operation.name, response) ??
    `${answered} with ${response.code}, which is not a code of that operation`;
  return [broken("known-codes", message, [evidenceOf(call)])];
}

function evidenceOf(call: Call<Operation>): JsonObject {
  const { client, index, operation, response } = call;
  return { client, index, operation: { ...operation }, response: { ...response } as Json };
}

function broken(
  name: keyof typeof DESCRIPTIONS,
  message: string,
  evidence: readonly JsonObject[],
): Violation {
  return { checker: "contract", name, message, evidence };
}
