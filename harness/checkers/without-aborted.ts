import { type Execution, historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { TraceEvent } from "../core/trace.ts";

/**
 * An execution as if the operations had never been sent that gave way to others and had no effect, such
 * as the victim of a deadlock: run one after the other, they would have had their way.
 * @param codes of the answers that say so.
 */
export function withoutAborted<State extends Json, Op extends Operation>(
  execution: Execution<State, Op>,
  codes: readonly string[],
): Execution<State, Op> {
  const { scenario, trace } = execution;
  const aborted = new Set(
    calls(historyOf(trace))
      .filter(({ response }) => response?.outcome === "fail" && codes.includes(response.code))
      .map(({ client, index }) => `${client}/${index}`),
  );
  if (aborted.size === 0) return execution;
  const isLeft = (client: number, index: number) => !aborted.has(`${client}/${index}`);
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
