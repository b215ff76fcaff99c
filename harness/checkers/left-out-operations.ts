import { affectedOperations, operationKey } from "../core/affected-operations.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { type Call, calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { TraceEvent } from "../core/trace.ts";
import { ANY_ANSWER } from "./serial-orders.ts";

/**
 * The execution without the operations that were aborted, such as the victim of a deadlock: in a
 * serial order they would have taken effect.
 *
 * @param codes response codes that mean that an operation was aborted
 */
export function withoutAborted<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  codes: readonly string[],
): Execution<State, Op> {
  return without(
    execution,
    keysOf(execution, ({ response }) => hasFailed(response) && codes.includes(response.code)),
  );
}

/** An execution as it is if some of its operations have taken effect, and others have not. */
export type Assumption = <State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
) => Execution<State, Op>;

/** The most operations in doubt: there are two assumptions of each. */
const MOST_IN_DOUBT = 3;

/**
 * What can be assumed of the operations that failed because a fault affected them: each has taken effect, and any
 * answer is right, or it has not, and is left out. Without such operations, the execution is as it is; with too
 * many, nothing is assumed.
 */
export function assumptionsOf<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
): readonly Assumption[] {
  const affected = affectedOperations(execution.trace);
  const inDoubt = keysOf(
    execution,
    (call) => hasFailed(call.response) && affected.has(operationKey(call)),
  );
  if (inDoubt.size > MOST_IN_DOUBT) return [];
  return subsets([...inDoubt]).map((leftOut): Assumption => {
    const kept = new Set([...inDoubt].filter((key) => !leftOut.includes(key)));
    return (whole) => without(withAnyAnswer(whole, kept), new Set(leftOut));
  });
}

/** All subsets, the whole first. */
function subsets([first, ...others]: readonly string[]): readonly (readonly string[])[] {
  if (first === undefined) return [[]];
  const rest = subsets(others);
  return [...rest.map((some) => [first, ...some]), ...rest];
}

function hasFailed(response: Call["response"]): response is NonNullable<Call["response"]> {
  return response?.outcome === "fail";
}

function keysOf<State extends Json, Op extends Operation>(
  { trace }: Execution<State, Op>,
  has: (call: Call<Op>) => boolean,
): ReadonlySet<string> {
  return new Set(calls(historyOf(trace)).filter(has).map(operationKey));
}

function withAnyAnswer<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  keys: ReadonlySet<string>,
): Execution<State, Op> {
  if (keys.size === 0) return execution;
  const trace = execution.trace.map(
    (event): TraceEvent<Op> =>
      event.type === "return" && keys.has(operationKey(event))
        ? { ...event, response: ANY_ANSWER }
        : event,
  );
  return { ...execution, trace };
}

function without<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  keys: ReadonlySet<string>,
): Execution<State, Op> {
  if (keys.size === 0) return execution;
  const { scenario, trace } = execution;
  const isLeft = (client: number, index: number) => !keys.has(operationKey({ client, index }));
  const clients = scenario.clients.map((operations, client) =>
    operations.filter((_, index) => isLeft(client, index)),
  );
  const events = trace.flatMap((event): TraceEvent<Op>[] => {
    if (event.type !== "invoke" && event.type !== "return") return [event];
    const { client, index } = event;
    if (!isLeft(client, index)) return [];
    const before = [...Array(index).keys()].filter((other) => isLeft(client, other));
    return [{ ...event, index: before.length }];
  });
  return { ...execution, scenario: { ...scenario, clients }, trace: events };
}
