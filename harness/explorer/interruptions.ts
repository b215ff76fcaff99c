import { clientOf } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";

/**
 * Where operations were interrupted: for each preemption the name of the operation, and its last statement until
 * then, also one of a routine. Two executions with one of these in common show effects of the same race.
 */
export function interruptionsOf(trace: Trace): readonly string[] {
  const operations = new Map<number, string>();
  const last = new Map<number, string>();
  const found = new Set<string>();
  let running: number | undefined;
  for (const event of trace) {
    if (event.type === "move") {
      if (event.preemption && running !== undefined) {
        found.add(`${operations.get(running) ?? ""}: ${last.get(running) ?? ""}`);
      }
      running = clientOf(event.choice.task);
    } else if (event.type === "invoke") {
      operations.set(event.client, event.operation.name);
      last.delete(event.client);
    } else if (event.type === "statement") {
      last.set(clientOf(event.task), event.statement.sql);
    } else if (event.type === "gate" && event.place.line !== null) {
      const { of, line } = event.place;
      last.set(clientOf(event.task), `${of}, line ${line}`);
    }
  }
  return [...found];
}
