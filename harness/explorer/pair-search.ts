import { createHash } from "node:crypto";
import { HarnessError } from "../core/error.ts";
import { type Execution, finalState, historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Pair, Service } from "../service/service.ts";

/** The service's pairs of operations. Throws HarnessError `USAGE` when it has none. */
export function pairsOf<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
): readonly Pair<State, Op>[] {
  const pairs = service.pairs?.() ?? [];
  if (pairs.length > 0) return pairs;
  throw new HarnessError("USAGE", `the model "${service.name}" has no pairs: leave out --pairs`);
}

/** Equal for two executions with the same responses and the same final state. */
export function outcomeOf(execution: Execution): string {
  const responses = calls(historyOf(execution.trace))
    .sort((a, b) => a.client - b.client || a.index - b.index)
    .map(({ response }) => response ?? null);
  return createHash("sha256")
    .update(JSON.stringify([responses, finalState(execution)]))
    .digest("base64");
}
