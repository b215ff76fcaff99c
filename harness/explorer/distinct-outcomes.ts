import { type Execution, finalState, historyOf } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import { VolatileComparison } from "../core/volatile.ts";

/** Counts outcomes: the responses and the final state, up to values that differ in each execution. */
export class DistinctOutcomes {
  readonly #texts = new Set<string>();
  readonly #distinct: (readonly unknown[])[] = [];

  add(execution: Execution): void {
    const responses = calls(historyOf(execution.trace))
      .sort((a, b) => a.client - b.client || a.index - b.index)
      .map(({ response }) => ({ response: response ?? null }));
    const outcome = [...responses, { contents: finalState(execution) }];
    const text = JSON.stringify(outcome);
    if (this.#texts.has(text)) return;
    this.#texts.add(text);
    const isSame = (other: readonly unknown[]) =>
      new VolatileComparison({ inputs: execution.scenario }).difference(other, outcome) ===
      undefined;
    if (!this.#distinct.some(isSame)) this.#distinct.push(outcome);
  }

  get count(): number {
    return this.#distinct.length;
  }
}
