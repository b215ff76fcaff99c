import type { Fault } from "../core/fault.ts";
import { DynamicReduction } from "./dynamic-reduction.ts";
import { Exhaustive } from "./exhaustive.ts";
import { FaultSearch, OneSchedule } from "./fault-search.ts";
import { Pct } from "./pct.ts";
import { RandomWalk } from "./random.ts";
import { RandomFaults } from "./random-faults.ts";
import { ReducedSearch } from "./reduced-search.ts";
import type { Scheduler } from "./scheduler.ts";

/** How one scenario is explored. */
export interface ScenarioPlan {
  /** The most executions of the scenario. */
  readonly executions: number;
  readonly scheduler: Scheduler;
  /** The part of the campaign's budget, from 0 to 1, at which exploring ends. Default: 1. */
  readonly share?: number;
}

/** Decides how each scenario of a campaign is explored. */
export interface Strategy {
  readonly name: string;
  /** What `heddle verify --help` prints. */
  readonly description: string;
  /**
   * The name of the phase once this part of the budget, from 0 to 1, is used up. `explore` depends on
   * the budget only through its phase. A strategy without it has one phase.
   */
  phase?(used: number): string;
  /** Whether it can inject faults. A search cannot: it relies on repeating an execution. */
  readonly injectsFaults: boolean;
  /** The kinds of faults that it injects. Default: none. */
  readonly faults?: readonly Fault[] | undefined;
  /** The most preemptions of its searches, which may be Infinity; undefined: it has no searches. */
  readonly preemptions?: number;
  /**
   * How the service's pairs of operations are explored besides generated scenarios: all pairs with the
   * first plan, then all pairs with the second, and so on. A plan's `share` is not used. Default: none,
   * and the pairs are not explored.
   */
  readonly pairPlans?: readonly (() => ScenarioPlan)[];
  /**
   * Whether it needs what steps touch, to leave out equivalent interleavings. Steps that touch nothing
   * shared are then no choices, whatever its scheduler is. Default: false.
   */
  readonly reduces?: boolean;
  /**
   * Plans the next scenario.
   *
   * @param seed a 32-bit integer
   * @param used the part of the campaign's budget that is used up, from 0 to 1
   * @param single where the campaign has only this scenario: whether it is explored for the first time,
   *   or again, after its first plan has ended without completing a search
   */
  explore(seed: number, used: number, single?: "first" | "again"): ScenarioPlan;
}

/** Options of the built-in strategies. */
export interface StrategyOptions {
  /** The most preemptions of an exhaustive search. */
  readonly preemptions: number;
  /** The kinds of faults to inject; `serial` and `exhaustive` inject none. Default: none. */
  readonly faults?: readonly Fault[];
  /**
   * Whether steps that touch nothing shared are no choices, and a search without a bound of preemptions
   * leaves out equivalent interleavings. Default: true.
   */
  readonly reduction?: boolean;
}

/** Executions of one scenario under `serial`: 4! for four clients with one operation each. */
const SERIAL_ORDERS = 24;

/** The depth of bugs that `pct` aims at: most need two ordering constraints, a few need three. */
export const PCT_DEPTH = 3;

/** Executions of one scenario under `pct`. */
const PCT_EXECUTIONS = 4;

/** The most executions of one exhaustive search under `auto`. */
const AUTO_SEARCH = 150;

/**
 * The most preemptions in pairs under `auto`. Most races need one. All pairs with two take more
 * executions than a whole campaign: these are for `--pairs`.
 */
const PAIR_PREEMPTIONS = 1;

/** The search of a single scenario under `auto`. */
const SINGLE_SEARCH = { share: 0.7, executions: 20_000 };

const serial = ({ reduction = true }: StrategyOptions): Strategy => ({
  name: "serial",
  description: `every order of whole operations, at most ${SERIAL_ORDERS} per scenario`,
  reduces: reduction,
  injectsFaults: false,
  explore: () => ({ executions: SERIAL_ORDERS, scheduler: new Exhaustive(0) }),
});

const random = (options: StrategyOptions): Strategy => ({
  name: "random",
  description: "at each step, each enabled task moves with the same probability",
  reduces: options.reduction !== false,
  injectsFaults: true,
  faults: options.faults,
  explore: (seed) => ({
    executions: 1,
    scheduler: withFaults(new RandomWalk(seed), seed, options),
  }),
});

const pct = (options: StrategyOptions): Strategy => ({
  name: "pct",
  description: "probabilistic concurrency testing: random priorities that change rarely",
  reduces: options.reduction !== false,
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

/** The most executions of one search of a pair: a pair with long operations leaves time for the others. */
const PAIR_SEARCH = 60;

/**
 * The numbers of the first injection of each search of a pair. The first search fits `PAIR_SEARCH`: one
 * execution without a fault, and at most two for each injection, the second one with a retry. The last
 * search injects all faults that are left.
 */
const PAIR_INJECTIONS = [0, 29, 145];

/** Where faults are asked for, each fault at each place takes the place of preemptions. */
function pairPlans({ faults = [], preemptions }: StrategyOptions): readonly (() => ScenarioPlan)[] {
  if (faults.length > 0) {
    return PAIR_INJECTIONS.map((from, round) => () => ({
      executions: Number.POSITIVE_INFINITY,
      scheduler: new FaultSearch(faults, new OneSchedule(), {
        from,
        to: PAIR_INJECTIONS[round + 1] ?? Number.POSITIVE_INFINITY,
      }),
    }));
  }
  const most = Math.min(PAIR_PREEMPTIONS, preemptions);
  return Array.from({ length: most + 1 }, (_, bound) => () => ({
    executions: PAIR_SEARCH,
    scheduler: new Exhaustive(bound),
  }));
}

function exhaustive({ preemptions, reduction = true }: StrategyOptions): Strategy {
  const skips = reduction && preemptions === Number.POSITIVE_INFINITY;
  return {
    name: "exhaustive",
    description: "every schedule with at most --preemptions preemptions",
    preemptions,
    reduces: reduction,
    injectsFaults: false,
    explore: () => ({
      executions: Number.POSITIVE_INFINITY,
      scheduler: skips ? new DynamicReduction() : new Exhaustive(preemptions),
    }),
  };
}

/**
 * The pairs of operations come first: what a pair can show is then found with every seed. Random walks
 * take turns with them: they preempt often, and each tries another scenario. Serial orders and
 * searches follow, because they can state what they covered; PCT has the rest.
 */
const auto = (options: StrategyOptions): Strategy => ({
  name: "auto",
  description:
    "first the service's pairs of operations, with at most one preemption or one fault (at most two " +
    "thirds of the budget), then generated scenarios: random, serial, exhaustive, and pct for half of " +
    "what remains; a single scenario: all schedules, without equivalent ones, or with faults all schedules " +
    "with 0, 1, 2, … preemptions and each fault at each place of these; then pct",
  reduces: options.reduction !== false,
  injectsFaults: true,
  faults: options.faults,
  preemptions: options.preemptions,
  pairPlans: pairPlans(options),
  phase: autoPhase,
  explore: (seed, used, single) => {
    if (single !== undefined) {
      // The same search again would find the same.
      if (single === "again" || used >= SINGLE_SEARCH.share) {
        return pct(options).explore(seed, used);
      }
      return { ...SINGLE_SEARCH, scheduler: singleSearch(options) };
    }
    switch (autoPhase(used)) {
      case "random":
        return random(options).explore(seed, used);
      case "serial":
        return serial(options).explore(seed, used);
      case "exhaustive":
        return { executions: AUTO_SEARCH, scheduler: new Exhaustive(options.preemptions) };
      case "pct":
        return pct(options).explore(seed, used);
    }
  },
});

/** A place between two steps that commute is one at which a fault can strike, so faults need all schedules. */
function singleSearch({ faults = [], reduction = true }: StrategyOptions): Scheduler {
  if (faults.length > 0) return new FaultSearch(faults);
  return reduction ? new ReducedSearch() : new Exhaustive();
}

function autoPhase(used: number): "random" | "serial" | "exhaustive" | "pct" {
  if (used < 0.05) return "random";
  if (used < 0.1) return "serial";
  return used < 0.5 ? "exhaustive" : "pct";
}

/**
 * The part of its executions that `auto` has used up after this part of its scenarios, both from 0 to
 * 1, in a campaign with a number of scenarios. A walk takes one execution and a search up to 150: each
 * phase has its share of the executions if walks have many scenarios, and searches few.
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

/** The built-in strategies, the default one first. docs/design/search.md describes each. */
export function strategies(options: StrategyOptions): readonly Strategy[] {
  return [auto(options), serial(options), exhaustive(options), pct(options), random(options)];
}

/** The name of a strategy, such as `"auto"`; see `strategies`. */
export type StrategyName = "auto" | "serial" | "exhaustive" | "pct" | "random";

/** The built-in strategy of that name. */
export function strategyNamed(name: StrategyName, options: StrategyOptions): Strategy {
  const strategy = strategies(options).find((other) => other.name === name);
  if (strategy === undefined) throw new Error(`there is no strategy ${name}`);
  return strategy;
}
