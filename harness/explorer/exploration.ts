import { createHash } from "node:crypto";
import type { Campaign, PairSearch } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import { coverageSentences, NOTHING_COVERED, together } from "./coverage.ts";
import type { Explored, Failing } from "./explore-scenario.ts";
import type { Rule } from "./judge.ts";
import type { Pair, Pattern } from "./subject.ts";
import { EMPTY, keyOf, sum } from "./tally.ts";

/** What the scenarios of a campaign gave, which are added in order. */
export class Exploration<State extends Json, C extends Command> {
  tally = EMPTY;
  /** The first, and its number among all executions. */
  failing: (Failing<State, C> & { readonly number: number }) | undefined;
  /** Why something could not be judged, where that was so first. */
  undecided: string | undefined;
  error: HarnessError | undefined;
  /** Whether a search came to its end. */
  searched = false;
  readonly pairs: PairSearch[];
  #coverage = NOTHING_COVERED;
  #explored = 0;
  readonly #digest = createHash("sha256");

  constructor(pairs: readonly Pair<State, C>[]) {
    this.pairs = pairs.map(({ name }) => ({
      name,
      explored: 0,
      pruned: null,
      complete: false,
      outcomes: 0,
    }));
  }

  add(explored: Explored<State, C>): void {
    const { failing, undecided, error, digest, complete, pruned, outcomes } = explored;
    this.tally = sum(this.tally, explored.tally);
    this.#coverage = together(this.#coverage, explored.coverage);
    this.#digest.update(digest);
    if (failing !== undefined) this.failing = { ...failing, number: this.tally.executions - 1 };
    this.undecided ??= undecided;
    this.error ??= error;
    this.searched ||= complete;
    const pair = this.pairs[this.#explored];
    const { executions } = explored.tally;
    if (pair !== undefined) {
      this.pairs[this.#explored] = { ...pair, explored: executions, pruned, complete, outcomes };
    }
    this.#explored++;
  }

  /** How many scenarios were added. */
  get explored(): number {
    return this.#explored;
  }

  summary(
    rules: readonly Rule[],
    patterns: readonly Pattern<State, C>[],
  ): Pick<
    Campaign,
    | "scenarios"
    | "executions"
    | "compared"
    | "violations"
    | "steps"
    | "preemptions"
    | "waits"
    | "deadlocks"
    | "faults"
    | "executionsByClients"
    | "responses"
    | "patterns"
    | "rules"
    | "pairs"
    | "digest"
    | "coverage"
  > {
    const { patterns: matches, violated, undecided: _, ...counts } = this.tally;
    const { scenarios, executions } = counts;
    return {
      ...counts,
      patterns: (this.pairs.length > 0 ? [] : patterns).map(({ name, description, threshold }) => {
        const matching = matches[name] ?? 0;
        const share = scenarios === 0 ? 0 : matching / scenarios;
        const deviation = Math.sqrt((threshold * (1 - threshold)) / Math.max(1, scenarios));
        const missed = share < threshold - 3 * deviation;
        return { name, description, scenarios: matching, share, threshold, missed };
      }),
      rules: rules.map((rule) => ({
        ...rule,
        checked: executions,
        violated: violated[keyOf(rule)] ?? 0,
      })),
      pairs: this.pairs,
      coverage: coverageSentences(this.#coverage),
      digest: this.#digest.copy().digest("hex"),
    };
  }
}
