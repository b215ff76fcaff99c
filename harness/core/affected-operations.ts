import { endsProcess } from "./fault.ts";
import { clientOf } from "./schedule.ts";
import type { Trace } from "./trace.ts";

/** Identifies an operation within an execution. */
export function operationKey(call: { readonly client: number; readonly index: number }): string {
  return `${call.client}/${call.index}`;
}

/** The operations that were under way when a fault was injected into them, by `operationKey`. */
export function affectedOperations(trace: Trace): ReadonlySet<string> {
  const underWay = new Map<number, string>();
  const affected = new Set<string>();
  for (const event of trace) {
    if (event.type === "invoke") underWay.set(event.client, operationKey(event));
    else if (event.type === "return") underWay.delete(event.client);
    else if (event.type === "fault") {
      // The end of a process affects every operation that it was serving.
      const all = endsProcess(event.fault);
      for (const [client, call] of underWay) {
        if (all || client === clientOf(event.task)) affected.add(call);
      }
    }
  }
  return affected;
}
