import { type Execution, historyOf } from "../core/execution.ts";
import { type Call, calls } from "../core/history.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json } from "../core/json.ts";
import { isUnknown } from "../core/model.ts";
import type { Operation } from "../core/operation.ts";
import { clientOf } from "../core/schedule.ts";
import type { Violation } from "../core/verdict.ts";
import { IdBijection } from "./id-bijection.ts";
import type { Execute, SerialOrder, SerialOrders, TooMany } from "./serial-orders.ts";

export const SERIALLY_EQUIVALENT = {
  checker: "serial-equivalence",
  name: "serially-equivalent",
  description:
    "The answers, and what is left in the end, are those of some order in which the same operations " +
    "run one after the other; each client's operations in its order, ids aside.",
} as const;

/** It compares what two checkers say, and is not counted to either. */
export const MODEL_AGREES = {
  checker: "agreement",
  name: "model-agrees",
  description:
    "What the model takes for right some serial order of the operations comes to, and what such an " +
    "order in real time comes to the model takes for right.",
} as const;

/** How many orders may be executed to find one for an execution. */
const EXECUTIONS = 100;

export type SerialFinding =
  | "equivalent"
  | "different"
  | "not checked"
  | { readonly tooMany: TooMany };

/**
 * The order of whole operations that an execution is itself; undefined if something moved beside the
 * operation that was under way, or after its answer.
 */
export function ownOrder({ trace }: Execution): SerialOrder | undefined {
  const order: number[] = [];
  let underWay: number | undefined;
  for (const event of trace) {
    if (event.type === "invoke") {
      if (underWay !== undefined) return undefined;
      underWay = event.client;
      order.push(event.client);
    } else if (event.type === "return") underWay = undefined;
    else if (event.type === "move" && event.choice.action !== "start") {
      if (clientOf(event.choice.task) !== underWay) return undefined;
    }
  }
  return order;
}

/**
 * Whether some serial order of an execution's operations comes to the same. Not checked is an execution
 * of which answers are missing, since nobody can tell what they would have been; and one in which no
 * order was found while a operation names an id by guess, which in another order is something else.
 */
export async function serialEquivalence<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  orders: SerialOrders<Op>,
  execute: Execute,
  { ids, realTime }: { readonly ids: IdFields; readonly realTime: boolean },
): Promise<SerialFinding> {
  const { scenario, trace, contents, ending } = execution;
  const all = calls(historyOf(trace));
  if (contents === undefined || ending.type === "stuck" || all.some(isUnknown))
    return "not checked";
  const bijection = IdBijection.from(scenario.initial, ids);
  const found = await orders.find(
    { calls: all, contents, bijection, realTime, executions: EXECUTIONS },
    execute,
  );
  if (found === "orders" || found === "isomorphisms") return { tooMany: found };
  if (found !== "none") return "equivalent";
  const guessed = all.some(({ operation }) => !bijection.knows(operation, ""));
  return guessed ? "not checked" : "different";
}

/** What a reader is told of an execution that no serial order comes to. */
export function notSerial(execution: Execution): Violation {
  const all = calls(historyOf(execution.trace));
  const { checker, name } = SERIALLY_EQUIVALENT;
  return {
    checker,
    name,
    message:
      all.length === 1
        ? "the only operation does not come to this answer, or leave what was left, when nothing strikes it"
        : `no order in which the ${all.length} operations run one after the other comes to these answers and leaves what was left`,
    evidence: all.map(({ client, operation, response }: Call) => ({
      client,
      operation: operation.name,
      answer: response?.code ?? "",
      body: response?.body ?? null,
    })),
  };
}

/** A disagreement between the model and the service itself: one of the two is not what it should be. */
export function modelDisagrees(how: "allows" | "refuses"): Violation {
  const { checker, name } = MODEL_AGREES;
  const message =
    how === "allows"
      ? "the model takes this for right, but no serial order of the operations comes to it"
      : "a serial order of the operations in real time comes to this, but the model refuses it";
  return { checker, name, message, evidence: [] };
}
