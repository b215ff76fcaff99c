import { endsProcess } from "./fault.ts";
import { clientOf } from "./schedule.ts";
import type { Trace } from "./trace.ts";

/** Names an operation among those of an execution. */
export function operationKey(call: { readonly client: number; readonly index: number }): string {
  return `${call.client}/${call.index}`;
}

/** The operations that a fault struck while they were under way, by `operationKey`. */
export function affectedOperations(trace: Trace): ReadonlySet<string> {
  const underWay = new Map<number, string>();
  const struck = new Set<string>();
  for (const event of trace) {
    if (event.type === "invoke") underWay.set(event.client, operationKey(event));
    else if (event.type === "return") underWay.delete(event.client);
    else if (event.type === "fault") {
      // What ends a process concerns all that it was doing.
      const all = endsProcess(event.fault);
      for (const [client, call] of underWay) {
        if (all || client === clientOf(event.task)) struck.add(call);
      }
    }
  }
  return struck;
}
