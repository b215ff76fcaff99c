import { createHash } from "node:crypto";
import type { PairSearch } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import { HarnessError } from "../core/error.ts";
import { type Execution, historyOf, type Snapshot } from "../core/execution.ts";
import { operations } from "../core/history.ts";
import type { Json } from "../core/json.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import type { Pair, Subject } from "./subject.ts";

/** Counts what the search of one pair of commands comes to. */
export class PairTally<State extends Json, C extends Command> {
  readonly pair: Pair<State, C>;
  complete = false;
  #explored = 0;
  readonly #outcomes = new Set<string>();

  constructor(pair: Pair<State, C>) {
    this.pair = pair;
  }

  /** One for each of the subject's pairs. Throws HarnessError `USAGE` when it has none. */
  static all<State extends Json, C extends Command>(
    subject: Subject<State, C>,
  ): readonly PairTally<State, C>[] {
    const pairs = subject.pairs?.() ?? [];
    if (pairs.length > 0) return pairs.map((pair) => new PairTally(pair));
    throw new HarnessError("USAGE", `the model "${subject.name}" has no pairs: leave out --pairs`);
  }

  /** `contents`: what the execution left, where the system can tell. */
  execution(execution: Execution, contents: Snapshot | undefined): void {
    this.#explored++;
    this.#outcomes.add(outcomeOf(execution, contents ?? execution.snapshot));
  }

  /** The scheduler is done with the pair's scenario. */
  explored(scheduler: Scheduler): void {
    this.complete = scheduler instanceof Exhaustive && scheduler.complete;
  }

  get summary(): PairSearch {
    return {
      name: this.pair.name,
      explored: this.#explored,
      complete: this.complete,
      outcomes: this.#outcomes.size,
    };
  }
}

/** Equal for two executions with the same responses and the same final state. */
function outcomeOf({ trace }: Execution, final: Snapshot): string {
  const responses = operations(historyOf(trace))
    .sort((a, b) => a.client - b.client || a.index - b.index)
    .map(({ response }) => response ?? null);
  return createHash("sha256")
    .update(JSON.stringify([responses, final]))
    .digest("base64");
}
