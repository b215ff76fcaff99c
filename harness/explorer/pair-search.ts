import { createHash } from "node:crypto";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, finalState, historyOf } from "../core/execution.ts";
import { operations } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import type { Pair, Subject } from "./subject.ts";

/** The subject's pairs of commands. Throws HarnessError `USAGE` when it has none. */
export function pairsOf<State extends Json, C extends Command>(
  subject: Subject<State, C>,
): readonly Pair<State, C>[] {
  const pairs = subject.pairs?.() ?? [];
  if (pairs.length > 0) return pairs;
  throw new HarnessError("USAGE", `the model "${subject.name}" has no pairs: leave out --pairs`);
}

/** Equal for two executions with the same responses and the same final state. */
export function outcomeOf(execution: Execution): string {
  const responses = operations(historyOf(execution.trace))
    .sort((a, b) => a.client - b.client || a.index - b.index)
    .map(({ response }) => response ?? null);
  return createHash("sha256")
    .update(JSON.stringify([responses, finalState(execution)]))
    .digest("base64");
}
