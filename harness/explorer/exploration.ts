import type { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Pair } from "../service/service.ts";
import type { PairSearch } from "./campaign.ts";
import { type CampaignTotals, digestOf, hexDigest } from "./campaign-totals.ts";
import { NO_COVERAGE, sumCoverage } from "./coverage.ts";
import type { ScenarioResult } from "./explore-scenario.ts";
import { Failures } from "./failures.ts";
import type { ScenarioFingerprints } from "./fingerprint.ts";
import { type Shard, WHOLE_CAMPAIGN } from "./shards.ts";
import { addToTally, EMPTY_TALLY, sumCounts, type Tally } from "./tally.ts";
import type { Samples } from "./ungated-samples.ts";

/** The results of a campaign's scenarios, which are added in the order of their numbers. */
export class Exploration<State extends Json, Op extends Operation> {
  /** Changes with each scenario that is added. */
  readonly tally: Tally = structuredClone(EMPTY_TALLY);
  readonly failures: Failures<State, Op>;
  /** Why something could not be checked, the first time. */
  undecided: string | undefined;
  error: HarnessError | undefined;
  /** Why the first of the searches that ended before their end did so. */
  diverged: string | undefined;
  /** See `ScenarioResult.samples`. */
  samples: Samples = {};
  /** Whether a search was completed, or has ended as a sample and would do so again. */
  searched = false;
  readonly pairs: PairSearch[];
  readonly #shard: Shard;
  #coverage = NO_COVERAGE;
  #explored = 0;
  #digest = 0n;
  readonly #fingerprints: ScenarioFingerprints[] = [];

  constructor(
    pairs: readonly Pair<State, Op>[],
    shard: Shard = WHOLE_CAMPAIGN,
    byOperations = false,
  ) {
    this.#shard = shard;
    this.failures = new Failures(byOperations);
    this.pairs = pairs.map(({ name }) => ({
      name,
      explored: 0,
      pruned: null,
      complete: false,
      outcomes: 0,
    }));
  }

  add(explored: ScenarioResult<State, Op>): void {
    const { failing, undecided, error, digest, complete, sampled, pruned, outcomes } = explored;
    const before = this.tally.executions;
    addToTally(this.tally, explored.tally);
    this.#coverage = sumCoverage(this.#coverage, explored.coverage);
    this.#digest += digestOf(this.next, digest);
    this.#fingerprints.push({ scenario: this.next, fingerprints: explored.fingerprints });
    for (const failure of failing === undefined ? [] : [failing, ...(explored.alsoFailing ?? [])]) {
      const { number = explored.tally.executions } = failure;
      const executionNumber = before + number;
      this.failures.add({ ...failure, executionNumber, scenarioNumber: this.next });
    }
    this.undecided ??= undecided;
    this.error ??= error;
    this.diverged ??= explored.diverged;
    this.samples = sumCounts(this.samples, explored.samples ?? {});
    this.searched ||= complete || sampled === true;
    const pair = this.pairs[this.next];
    const { executions } = explored.tally;
    if (pair !== undefined) {
      const violated = [failing, ...(explored.alsoFailing ?? [])].flatMap(
        (failure) => failure?.violations[0]?.name ?? [],
      );
      this.pairs[this.next] = {
        ...pair,
        explored: executions,
        pruned,
        complete,
        outcomes,
        ...(violated.length > 0 && { violated: [...new Set(violated)].join(", ") }),
      };
    }
    this.#explored++;
  }

  /** Adds a result beyond a limit, if it breaks a rule that no other one breaks. */
  addBeyond(scenarioNumber: number, { failing, tally, digest }: ScenarioResult<State, Op>): void {
    if (failing === undefined || this.failures.has(failing)) return;
    const before = this.tally.executions;
    addToTally(this.tally, tally);
    this.#digest += digestOf(scenarioNumber, digest);
    const { number = tally.executions } = failing;
    this.failures.add({ ...failing, executionNumber: before + number, scenarioNumber });
  }

  /** The number of the scenario that comes next, among those of all shards. */
  get next(): number {
    return this.#shard.index + this.#explored * this.#shard.of;
  }

  /** The totals of this shard, to which those of other shards can be added. */
  total(): CampaignTotals {
    const { tally, undecided = null, pairs } = this;
    return {
      ...{ tally, pairs, undecided },
      coverage: this.#coverage,
      digest: hexDigest(this.#digest),
      fingerprints: this.#fingerprints,
    };
  }
}
