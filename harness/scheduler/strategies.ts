import type { Fault } from "../core/fault.ts";
import { DynamicReduction } from "./dynamic-reduction.ts";
import { Exhaustive } from "./exhaustive.ts";
import { Pct } from "./pct.ts";
import { RandomWalk } from "./random.ts";
import { RandomFaults } from "./random-faults.ts";
import type { Scheduler } from "./scheduler.ts";

/** How one scenario is explored. */
export interface ScenarioPlan {
  /** The most executions of it. */
  readonly executions: number;
  readonly scheduler: Scheduler;
  /** The most of the campaign's budget that may be used up when it ends, from 0 to 1. */
  readonly share?: number;
}

/** Decides how each scenario of a campaign is explored. */
export interface Strategy {
  readonly name: string;
  readonly description: string;
  /**
   * The name of what it does when that part of the budget is used up; what it does depends on the
   * budget through this alone. Undefined: always the same.
   */
  phase?(used: number): string;
  /** Whether faults can strike: not in searches, which repeat what they have seen. */
  readonly injectsFaults: boolean;
  /** Those that do now and then; without it, none. */
  readonly faults?: readonly Fault[] | undefined;
  /** The most preemptions of its searches, Infinity included; undefined where it has none. */
  readonly preemptions?: number;
  /**
   * Besides generated scenarios, the service's pairs of operations are searched, fewest preemptions
   * first, up to this number; undefined: they are not.
   */
  readonly pairPreemptions?: number | undefined;
  /** Whether it leaves out interleavings by what steps may touch, and so has to be told of that. */
  readonly reduces?: boolean;
  /**
   * For the next scenario. `seed` is a 32-bit integer; `used` is the part of the campaign's budget
   * that is used up, from 0 to 1; `single` says that there are no other scenarios.
   */
  explore(seed: number, used: number, single?: boolean): ScenarioPlan;
}

export interface StrategyOptions {
  /** The most preemptions of an exhaustive search. */
  readonly preemptions: number;
  /** What strikes now and then where schedules are random; searches have no faults. */
  readonly faults?: readonly Fault[];
  /**
   * Whether a search without a bound leaves out interleavings that come to the same as others;
   * unless told otherwise, it does. One within a bound leaves nothing out (see `DynamicReduction`).
   */
  readonly reduction?: boolean;
}

/** Orders of whole operations of one scenario: 4! for four clients with a operation each. */
const SERIAL_ORDERS = 24;

/** The depth of bugs that PCT aims at: most need two ordering constraints, a few three. */
export const PCT_DEPTH = 3;

const PCT_EXECUTIONS = 4;

/** What `auto` spends on one scenario's exhaustive search. */
const AUTO_SEARCH = 150;

/**
 * Of the service's pairs in `auto`. Most races need one preemption, and the searches with two take
 * several times as long as a whole campaign: `--pairs` executes these.
 */
const PAIR_PREEMPTIONS = 1;

/** The same, where there is one scenario: the part of the budget, and the most executions. */
const SINGLE_SEARCH = { share: 0.7, executions: 20_000 };

const serial: Strategy = {
  name: "serial",
  description: `every order of whole operations, at most ${SERIAL_ORDERS} per scenario`,
  injectsFaults: false,
  explore: () => ({ executions: SERIAL_ORDERS, scheduler: new Exhaustive(0) }),
};

const random = (options: StrategyOptions): Strategy => ({
  name: "random",
  description: "a random walk: at each step one of those that can move, each as likely",
  injectsFaults: true,
  faults: options.faults,
  explore: (seed) => ({
    executions: 1,
    scheduler: withFaults(new RandomWalk(seed), seed, options),
  }),
});

const pct = (options: StrategyOptions): Strategy => ({
  name: "pct",
  description: "random priorities with few changes, and a bound on the bugs that are missed",
  injectsFaults: true,
  faults: options.faults,
  explore: (seed) => ({
    executions: PCT_EXECUTIONS,
    scheduler: withFaults(new Pct(seed, PCT_DEPTH), seed, options),
  }),
});

function withFaults(
  scheduler: Scheduler,
  seed: number,
  { faults = [] }: StrategyOptions,
): Scheduler {
  return faults.length === 0 ? scheduler : new RandomFaults(scheduler, faults, seed);
}

function hasFaults({ faults = [] }: StrategyOptions): boolean {
  return faults.length > 0;
}

function exhaustive({ preemptions, reduction = true }: StrategyOptions): Strategy {
  const reduces = reduction && preemptions === Number.POSITIVE_INFINITY;
  return {
    name: "exhaustive",
    description: "every schedule with at most --preemptions preemptions",
    preemptions,
    reduces,
    injectsFaults: false,
    explore: () => ({
      executions: Number.POSITIVE_INFINITY,
      scheduler: reduces ? new DynamicReduction() : new Exhaustive(preemptions),
    }),
  };
}

/**
 * Most bugs fall to the first walks: they leave clients often, and spend one execution on a scenario.
 * Serial orders and searches come next, since they can say what they covered; the rest is PCT's.
 */
const auto = (options: StrategyOptions): Strategy => ({
  name: "auto",
  description:
    "the service's pairs of operations with at most one preemption, in at most two thirds of the " +
    "budget; of the rest a twentieth random, a twentieth serial, four tenths exhaustive, the rest " +
    "pct; of a single scenario, all schedules with 0, 1, 2, … preemptions for seven tenths, the rest pct",
  injectsFaults: true,
  faults: options.faults,
  preemptions: options.preemptions,
  pairPreemptions: hasFaults(options) ? undefined : Math.min(PAIR_PREEMPTIONS, options.preemptions),
  phase: autoPhase,
  explore: (seed, used, single) => {
    if (single) {
      if (used >= SINGLE_SEARCH.share) return pct(options).explore(seed, used);
      return { ...SINGLE_SEARCH, scheduler: new Exhaustive() };
    }
    switch (autoPhase(used)) {
      case "random":
        return random(options).explore(seed, used);
      case "serial":
        return serial.explore(seed, used);
      case "exhaustive":
        return { executions: AUTO_SEARCH, scheduler: new Exhaustive(options.preemptions) };
      case "pct":
        return pct(options).explore(seed, used);
    }
  },
});

function autoPhase(used: number): "random" | "serial" | "exhaustive" | "pct" {
  if (used < 0.05) return "random";
  if (used < 0.1) return "serial";
  return used < 0.5 ? "exhaustive" : "pct";
}

/**
 * How much of its executions `auto` has used up after a share of its scenarios, from 0 to 1, where
 * the scenarios are limited. A walk takes one execution, a search far more than the rest; so that each
 * gets its part of them, walks are given many scenarios and searches few.
 */
export function effortUsed(scenarios: number): number {
  const corners = [
    [0, 0],
    [0.25, 0.05],
    [0.29, 0.1],
    [0.31, 0.5],
    [1, 1],
  ] as const;
  const at = corners.findIndex(([share]) => scenarios < share);
  const [from, to] = [corners[at - 1], corners[at]];
  if (from === undefined || to === undefined) return 1;
  return from[1] + ((scenarios - from[0]) / (to[0] - from[0])) * (to[1] - from[1]);
}

/** All strategies, the default one first. */
export function strategies(options: StrategyOptions): readonly Strategy[] {
  return [auto(options), serial, exhaustive(options), pct(options), random(options)];
}

export type StrategyName = "auto" | "serial" | "exhaustive" | "pct" | "random";

/** The built-in strategy of that name. */
export function strategyNamed(name: StrategyName, options: StrategyOptions): Strategy {
  const strategy = strategies(options).find((other) => other.name === name);
  if (strategy === undefined) throw new Error(`there is no strategy ${name}`);
  return strategy;
}
