import { independent } from "../core/footprint.ts";
import { type Choice, clientOf, type Lane } from "../core/schedule.ts";
import type { FootprintOf, Scheduler } from "./scheduler.ts";

interface Branch {
  /** The choices that lead to it. */
  readonly prefix: readonly Lane[];
  /** Who sleeps at its end. */
  readonly asleep: readonly Lane[];
}

export interface SleepSetOptions {
  /**
   * Whether the order matters in which commands are sent and answered (real time), beyond what
   * they answer and what they leave behind: a start then depends on every step of another client
   * that may be its command's last.
   */
  readonly realTime: boolean;
}

/**
 * Tries every interleaving of a scenario that may have an outcome of its own, where the exhaustive
 * search tries all. Where one of several can move, each is tried in turn; those tried before sleep
 * in what follows the later ones, until a step comes that depends on theirs: with independent steps
 * only in between, whatever they would do was seen already, with their step done first.
 *
 * Godefroid, "Partial-Order Methods for the Verification of Concurrent Systems" (LNCS 1032), chapter
 * 5; that independence may be judged anew in each state: Godefroid and Pirottin, "Refining
 * Dependencies Improves Partial-Order Verification Methods" (CAV 1993).
 *
 * There is no bound on preemptions here. A schedule within a bound may be left out because of one
 * that is equal to it but beyond the bound; so reduction and bound together would miss outcomes.
 */
export class SleepSets implements Scheduler {
  readonly #options: SleepSetOptions;
  readonly #left: Branch[] = [{ prefix: [], asleep: [] }];
  #prefix: readonly Lane[] = [];
  #path: Lane[] = [];
  #asleep: ReadonlySet<Lane> = new Set();
  /** Whether all that could move slept: then the rest of this execution was seen before. */
  #redundant = false;
  /** How many executions were begun. */
  executions = 0;
  /** How many of them turned out to be equal to another one; they went on to their end. */
  redundant = 0;
  /** How many choices were not tried since they slept; behind each stand all its interleavings. */
  pruned = 0;
  /** Set when a prefix could not be repeated: then not all was tried. */
  diverged: string | undefined;

  constructor(options: SleepSetOptions = { realTime: false }) {
    this.#options = options;
  }

  /** Whether every interleaving was tried that may have an outcome of its own. */
  get complete(): boolean {
    return this.diverged === undefined && this.#left.length === 0;
  }

  begin(): boolean {
    if (this.#path.length < this.#prefix.length) {
      this.diverged ??= `an execution ended after ${this.#path.length} steps, and before it did not`;
    }
    const branch = this.#left.pop();
    if (branch === undefined) return false;
    this.executions++;
    this.#prefix = branch.prefix;
    this.#asleep = new Set(branch.asleep);
    this.#path = [];
    this.#redundant = false;
    return true;
  }

  choose(
    enabled: readonly Choice[],
    previous: Lane | undefined,
    footprintOf: FootprintOf = () => undefined,
  ): Choice {
    const choice = this.#planned(enabled) ?? this.#expand(enabled, previous, footprintOf);
    this.#path.push(choice.lane);
    return choice;
  }

  #planned(enabled: readonly Choice[]): Choice | undefined {
    const lane = this.#prefix[this.#path.length];
    if (lane === undefined) return undefined;
    const choice = enabled.find((option) => option.lane === lane);
    if (choice === undefined) {
      this.diverged ??= `at step ${this.#path.length} lane ${lane} could move before, and then could not`;
      this.#prefix = this.#path.slice();
      this.#asleep = new Set();
    }
    return choice;
  }

  /** Goes on with one that does not sleep, and keeps the others of these for later. */
  #expand(
    enabled: readonly Choice[],
    previous: Lane | undefined,
    footprintOf: FootprintOf,
  ): Choice {
    const byPreference = [...enabled].sort(
      (a, b) => Number(b.lane === previous) - Number(a.lane === previous),
    );
    const [preferred] = byPreference;
    if (preferred === undefined) throw new Error("a scheduler was asked to choose from nothing");
    if (this.#redundant) return preferred;
    const tried = byPreference.filter(({ lane }) => this.#asleep.has(lane));
    const awake = byPreference.filter((choice) => !tried.includes(choice));
    this.pruned += tried.length;
    const [first, ...later] = awake.map((choice): Branch => {
      const asleep = tried.filter((other) => this.#independent(choice, other, footprintOf));
      tried.push(choice);
      return { prefix: [...this.#path, choice.lane], asleep: asleep.map(({ lane }) => lane) };
    });
    if (first === undefined) {
      this.#redundant = true;
      this.redundant++;
      return preferred;
    }
    this.#left.push(...later);
    this.#asleep = new Set(first.asleep);
    return awake[0] ?? preferred;
  }

  #independent(a: Choice, b: Choice, footprintOf: FootprintOf): boolean {
    if (clientOf(a.lane) === clientOf(b.lane)) return false;
    const oneStarts = (a.action === "start") !== (b.action === "start");
    if (this.#options.realTime && oneStarts) return false;
    return independent(footprintOf(a), footprintOf(b));
  }
}
