import { clientOf } from "../core/schedule.ts";
import type { Trace } from "../core/trace.ts";
import { clientTask, placeLine, statementLine, taskName } from "./one-line.ts";
import { type TimelineEvent, timeline } from "./timeline.ts";

/** Where each client is after the last step of a trace: a line for each. */
export function clientStates(trace: Trace, clients: number): readonly string[] {
  const states = Array.from({ length: clients }, () => "has not begun");
  const open = new Set<number>();
  for (const { happenings, inTransaction } of timeline({ trace })) {
    for (const happening of happenings) {
      const client = clientOf(happening.task);
      if (client < 0 || client >= clients) continue;
      states[client] = state(happening) ?? states[client] ?? "";
    }
    for (const client of [...Array(clients).keys()]) {
      if (inTransaction.has(client)) open.add(client);
      else open.delete(client);
    }
  }
  return states.map((said, client) => {
    const inside = open.has(client) && !said.startsWith("was told") ? ", in a transaction" : "";
    return `${taskName(clientTask(client))}: ${said}${inside}`;
  });
}

function state(happening: TimelineEvent): string | undefined {
  switch (happening.type) {
    case "operation":
      return `has sent ${happening.operation.name}`;
    case "statement":
      return happening.result === undefined
        ? `is in ${statementLine(happening.statement)}`
        : `has done ${statementLine(happening.statement)}`;
    case "gate":
      return `stands in ${placeLine(happening.place)}`;
    case "wait":
      return `waits for ${happening.for.map(taskName).join(" and ")}`;
    case "result":
      return `has done ${statementLine(happening.statement)}`;
    case "response":
      return `was told ${happening.response.code}`;
    default:
      return undefined;
  }
}
