import { type Execution, finalState, historyOf, type Snapshot } from "../core/execution.ts";
import { calls } from "../core/history.ts";
import { isTime, isUuid, shapeOf, tokensOf, UNIQUE } from "../core/volatile-values.ts";

/**
 * Counts outcomes: the responses and the final state. Times, and values that look random, count by where they
 * appear, since each execution has others; those that clients sent are compared as they are.
 */
export class DistinctOutcomes {
  readonly #texts = new Set<string>();

  add(execution: Execution): void {
    this.#texts.add(outcomeOf(execution));
  }

  get count(): number {
    return this.#texts.size;
  }
}

function outcomeOf(execution: Execution): string {
  const sent = new Set(tokensOf(JSON.stringify(execution.scenario)));
  const names = new Map<string, string>();
  const named = (text: string) =>
    tokensOf(text)
      .map((token) => {
        if (sent.has(token)) return token;
        if (isTime(token)) return "⟨time⟩";
        if (!isUuid(token) && !(token.length >= UNIQUE && /\d/.test(token))) return token;
        const name = names.get(token) ?? `⟨${names.size + 1}⟩`;
        names.set(token, name);
        return name;
      })
      .join("");
  const responses = calls(historyOf(execution.trace))
    .sort((a, b) => a.client - b.client || a.index - b.index)
    .map(({ response }) => named(JSON.stringify(response ?? null)));
  const rows = Object.entries(finalState(execution) as Snapshot).map(([table, all]) => [
    table,
    // Rows that clients got come first, since their values have names already.
    all
      .map((row) => JSON.stringify(row))
      .map((text) => ({
        text,
        known: tokensOf(text)
          .map((token) => names.get(token) ?? "")
          .join(),
      }))
      .sort((a, b) => compare(a.known, b.known) || compare(shapeOf(a.text), shapeOf(b.text)))
      .map(({ text }) => named(text))
      .sort(),
  ]);
  return JSON.stringify([responses, rows]);
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
