import { Exhaustive } from "./exhaustive.ts";
import { RandomWalk } from "./random.ts";
import type { Scheduler } from "./scheduler.ts";

/** A way to explore one scenario: a fresh scheduler for each, and how often it is asked. */
export interface Strategy {
  readonly name: string;
  readonly description: string;
  /** The most executions of one scenario. */
  readonly executionsPerScenario: number;
  scheduler(seed: number): Scheduler;
}

const SERIAL: Strategy = {
  name: "serial",
  description: "every order of whole commands, at most 24 per scenario",
  executionsPerScenario: 24,
  scheduler: () => new Exhaustive(0),
};

export const RANDOM: Strategy = {
  name: "random",
  description: "a random walk: at each step one of those that can move, each as likely",
  executionsPerScenario: 1,
  scheduler: (seed) => new RandomWalk(seed),
};

export const strategies: readonly Strategy[] = [SERIAL, RANDOM];
