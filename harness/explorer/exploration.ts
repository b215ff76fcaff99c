import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Pair } from "../service/service.ts";
import type { PairSearch } from "./campaign.ts";
import { digestOf, hex, type ShardTotals } from "./campaign-totals.ts";
import { NOTHING_COVERED, together } from "./coverage.ts";
import type { FailingExecution, ScenarioResult } from "./explore-scenario.ts";
import type { Seen } from "./fingerprint.ts";
import { type Shard, WHOLE } from "./shards.ts";
import { addTo, EMPTY, keyOf, type Tally } from "./tally.ts";

/** A failing execution, with its number and that of its scenario; both count from 0. */
export interface NumberedFailure<State extends Json, Op extends Operation>
  extends FailingExecution<State, Op> {
  readonly executionNumber: number;
  /** Among those of all shards. */
  readonly scenarioNumber: number;
}

/** What the scenarios of a campaign gave, which are added in order. */
export class Exploration<State extends Json, Op extends Operation> {
  /** It grows; whoever wants to keep what it was takes a copy. */
  readonly tally: Tally = structuredClone(EMPTY);
  /** The first of each rule. */
  readonly failing: NumberedFailure<State, Op>[] = [];
  /** Why something could not be checked, where that was so first. */
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

  constructor(pairs: readonly Pair<State, Op>[], shard: Shard = WHOLE) {
    this.#shard = shard;
    this.pairs = pairs.map(({ name }) => ({
      name,
      explored: 0,
      pruned: null,
      complete: false,
      outcomes: 0,
    }));
  }

  add(explored: ScenarioResult<State, Op>): void {
    const { failing, undecided, error, digest, complete, pruned, outcomes } = explored;
    addTo(this.tally, explored.tally);
    this.#coverage = together(this.#coverage, explored.coverage);
    this.#digest += digestOf(this.next, digest);
    this.#seen.push({ scenario: this.next, fingerprints: explored.fingerprints });
    if (failing !== undefined)
      this.#fail({
        ...failing,
        executionNumber: this.tally.executions - 1,
        scenarioNumber: this.next,
      });
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

  #fail(failing: NumberedFailure<State, Op>): void {
    const rule = ruleOf(failing);
    if (!this.failing.some((other) => ruleOf(other) === rule)) this.failing.push(failing);
  }

  /** The number of the scenario that comes next, among those of all shards. */
  get next(): number {
    return this.#shard.index + this.#explored * this.#shard.of;
  }

  /** What the report of another shard can be added to. */
  total(): ShardTotals {
    const { tally, undecided = null, pairs } = this;
    return {
      ...{ tally, pairs, undecided },
      coverage: this.#coverage,
      digest: hex(this.#digest),
      seen: this.#seen,
    };
  }
}

function ruleOf({ violations: [first] }: Pick<FailingExecution, "violations">): string {
  return first === undefined ? "" : keyOf(first);
}
