import type { PairSearch } from "../core/campaign.ts";
import type { Command } from "../core/command.ts";
import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Seen } from "./behaviour.ts";
import { NOTHING_COVERED, together } from "./coverage.ts";
import type { Explored, Failing } from "./explore-scenario.ts";
import { type Shard, WHOLE } from "./shard.ts";
import type { Pair } from "./subject.ts";
import { addTo, EMPTY, keyOf, type Tally } from "./tally.ts";
import { digestOf, hex, type Total } from "./total.ts";

/** A violation, and its number among all executions. */
export type Numbered<State extends Json, C extends Command> = Failing<State, C> & {
  readonly number: number;
};

/** What the scenarios of a campaign gave, which are added in order. */
export class Exploration<State extends Json, C extends Command> {
  /** It grows; whoever wants to keep what it was takes a copy. */
  readonly tally: Tally = structuredClone(EMPTY);
  /** The first of each rule. */
  readonly failing: Numbered<State, C>[] = [];
  /** Why something could not be judged, where that was so first. */
  undecided: string | undefined;
  error: HarnessError | undefined;
  /** Whether a search came to its end. */
  searched = false;
  readonly pairs: PairSearch[];
  readonly #shard: Shard;
  #coverage = NOTHING_COVERED;
  #explored = 0;
  #digest = 0n;
  readonly #seen: Seen[] = [];

  constructor(pairs: readonly Pair<State, C>[], shard: Shard = WHOLE) {
    this.#shard = shard;
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
    addTo(this.tally, explored.tally);
    this.#coverage = together(this.#coverage, explored.coverage);
    this.#digest += digestOf(this.next, digest);
    this.#seen.push({ scenario: this.next, behaviours: explored.behaviours });
    if (failing !== undefined) this.#fail({ ...failing, number: this.tally.executions - 1 });
    this.undecided ??= undecided;
    this.error ??= error;
    this.searched ||= complete;
    const pair = this.pairs[this.next];
    const { executions } = explored.tally;
    if (pair !== undefined) {
      this.pairs[this.next] = { ...pair, explored: executions, pruned, complete, outcomes };
    }
    this.#explored++;
  }

  #fail(failing: Numbered<State, C>): void {
    const rule = ruleOf(failing);
    if (!this.failing.some((other) => ruleOf(other) === rule)) this.failing.push(failing);
  }

  /** The number of the scenario that comes next, among those of all shards. */
  get next(): number {
    return this.#shard.index + this.#explored * this.#shard.of;
  }

  /** What the report of another shard can be added to. */
  total(): Total {
    const { tally, undecided = null, pairs } = this;
    return {
      ...{ tally, pairs, undecided },
      coverage: this.#coverage,
      digest: hex(this.#digest),
      seen: this.#seen,
    };
  }
}

function ruleOf({ violations: [first] }: Pick<Failing, "violations">): string {
  return first === undefined ? "" : keyOf(first);
}
