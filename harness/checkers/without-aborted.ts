import type { Command } from "../core/command.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { operations } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { TraceEvent } from "../core/trace.ts";

/**
 * An execution as if the commands had never been sent that gave way to others and had no effect, such
 * as the victim of a deadlock: run one after the other, they would have had their way.
 * @param codes of the answers that say so.
 */
export function withoutAborted<State extends Json, C extends Command>(
  execution: Execution<State, C>,
  codes: readonly string[],
): Execution<State, C> {
  const { scenario, trace } = execution;
  const aborted = new Set(
    operations(historyOf(trace))
      .filter(({ response }) => response?.outcome === "fail" && codes.includes(response.code))
      .map(({ client, index }) => `${client}/${index}`),
  );
  if (aborted.size === 0) return execution;
  const isLeft = (client: number, index: number) => !aborted.has(`${client}/${index}`);
  const clients = scenario.clients.map((commands, client) =>
    commands.filter((_, index) => isLeft(client, index)),
  );
  const events = trace.flatMap((event): TraceEvent<C>[] => {
    if (event.type !== "invoke" && event.type !== "return") return [event];
    const { client, index } = event;
    if (!isLeft(client, index)) return [];
    const before = [...Array(index).keys()].filter((other) => isLeft(client, other));
    return [{ ...event, index: before.length }];
  });
  return { ...execution, scenario: { ...scenario, clients }, trace: events };
}
