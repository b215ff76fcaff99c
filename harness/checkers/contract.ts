import { affectedOperations, operationKey } from "../core/affected-operations.ts";
import { type Execution, historyOf, type ServiceEnd } from "../core/execution.ts";
import { type Call, callName, calls } from "../core/history.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Violation } from "../core/verdict.ts";
import type { CheckedService, Checker } from "./checker.ts";

type Contract = Pick<
  CheckedService,
  "codes" | "expects" | "unexpected" | "ownProcess" | "clientNames"
>;

const EXEMPTION = "An operation that a fault affects may fail in any way.";

const DESCRIPTIONS = {
  "no-server-error": `No answer has an HTTP status of 500 or above. ${EXEMPTION}`,
  "known-codes": `Every answer has a code that is known for its operation. ${EXEMPTION}`,
  "no-endless-wait": "No operation waits for something that will never be released.",
} as const;

const STAYS_UP = {
  checker: "contract",
  name: "service-stays-up",
  description: "The service does not end by itself.",
} as const;

/** Each unexpected code is a rule of its own: `unexpected-40P01` and `unexpected-23505` are two bugs. */
const UNEXPECTED = "unexpected-";

/** Checks the answers of a service, and that it answers. */
export function contractChecker<State extends Json, Op extends Operation>(
  contract: Contract,
): Checker<State, Op> {
  return {
    rules: [
      ...Object.entries(DESCRIPTIONS).map(([name, description]) => ({
        checker: "contract",
        name,
        description,
        ...(name === "known-codes" && { prefix: UNEXPECTED }),
      })),
      ...(contract.ownProcess ? [STAYS_UP] : []),
    ],
    check: (execution) => ({ violations: checkContract(execution, contract) }),
  };
}

/** An affected operation that succeeds has to have a known code all the same. */
export function checkContract(execution: Execution, contract: Contract): readonly Violation[] {
  const { serviceEnd } = execution;
  const affected = affectedOperations(execution.trace);
  const answered = calls(historyOf(execution.trace))
    .filter(({ response, ...call }) => {
      return response?.outcome === "ok" || !affected.has(operationKey(call));
    })
    // A request to a service that has ended gets no answer.
    .filter(({ response }) => serviceEnd === undefined || response?.outcome !== "info")
    .flatMap((call) => checkAnswer(call, contract));
  const { completion } = execution;
  const ended = serviceEnd === undefined ? [] : [hasEnded(serviceEnd)];
  if (completion.type === "complete") return [...ended, ...answered];
  return [
    ...ended,
    ...answered,
    broken("no-endless-wait", `clients wait forever: ${completion.waits}`, []),
  ];
}

/** Most of a stack says where the runtime was. */
const MAX_LINES = 20;

function hasEnded({ code, lastWords }: ServiceEnd): Violation {
  const lines = lastWords.split("\n").filter((line) => line.trim() !== "");
  const telling = lines.find((line) =>
    /^\s*(?:[\w.]*(?:error|exception)|panic|fatal)\b[^:]*: /i.test(line),
  );
  const { checker, name } = STAYS_UP;
  const said = telling ?? lines.at(-1);
  return {
    checker,
    name,
    message: `the service ended with ${code}${said === undefined ? "" : `: ${said.trim()}`}`,
    evidence: [{ code, lastWords: lines.slice(0, MAX_LINES).join("\n") }],
  };
}

function checkAnswer(call: Call, contract: Contract): readonly Violation[] {
  const { response, operation } = call;
  if (response === undefined || contract.expects?.(operation.name, response)) return [];
  const answered = `${callName(call, contract.clientNames)} was answered`;
  const status = response.status ?? 0;
  if (status >= 500) {
    const message = `${answered} with the status ${status} (${response.code})`;
    return [broken("no-server-error", message, [evidenceOf(call)])];
  }
  if (contract.codes[operation.name]?.includes(response.code)) return [];
  const message =
    contract.unexpected === undefined
      ? `${answered} with ${response.code}, which is not a code of that operation`
      : contract.unexpected(operation.name, response);
  if (message === undefined) return [];
  return [broken(`${UNEXPECTED}${response.code}`, message, [evidenceOf(call)])];
}

function evidenceOf(call: Call<Operation>): JsonObject {
  const { client, index, operation, response } = call;
  return { client, index, operation: { ...operation }, response: { ...response } as Json };
}

function broken(
  name: keyof typeof DESCRIPTIONS | `${typeof UNEXPECTED}${string}`,
  message: string,
  evidence: readonly JsonObject[],
): Violation {
  return { checker: "contract", name, message, evidence };
}
