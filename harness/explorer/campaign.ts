import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Verdict } from "../core/verdict.ts";

/** How often a pattern that races need occurred among the generated scenarios. */
export interface PatternCount {
  readonly name: string;
  readonly description: string;
  readonly scenarios: number;
  /** Share of all scenarios, 0 to 1. */
  readonly share: number;
  /** The least share that the generator promises. */
  readonly threshold: number;
  /** Whether the share is lower than chance explains, by three standard deviations. */
  readonly missed: boolean;
}

/** How often a checker's rule was applied, and how often it was violated. */
export interface RuleCount {
  readonly checker: string;
  readonly name: string;
  readonly description: string;
  readonly checked: number;
  readonly violated: number;
}

/** How far the scenario of a pair of operations was searched. */
export interface PairSearch {
  readonly name: string;
  /** Executions, each of another interleaving. */
  readonly explored: number;
  /**
   * Choices that were not tried, since all that they lead to comes to the same as something that
   * was executed; null where the search left nothing out, as within a bound of preemptions.
   */
  readonly pruned: number | null;
  /** Whether these were all within the bound, but for those that come to the same as others. */
  readonly complete: boolean;
  /** How many of them differ in a response or in the final state. */
  readonly outcomes: number;
}

/**
 * What became of a violation that was kept. `fails`: it breaks its rule as ever. `fixed`: it went
 * the same way, and the rule holds. `stale`: the service does not go that way any more, so that it
 * says nothing.
 */
export type RegressionOutcome = "fails" | "fixed" | "stale";

export interface RegressionResult {
  readonly file: string;
  readonly rule: string;
  readonly outcome: RegressionOutcome;
}

export interface Environment {
  readonly heddle: string;
  readonly node: string;
  readonly platform: string;
  readonly cpus: number;
  readonly postgres: {
    readonly provider: string;
    readonly version: string;
    /** How a session that waits for a lock is known: pushed by the server, or asked for. */
    readonly lockWaits: "pushed" | "polled";
  };
}

/** What a campaign was told besides its seed: with both, and the sources, it can be made again. */
export interface Settings {
  /** Its limits; null where there was none. */
  readonly runs: number | null;
  readonly timeMs: number | null;
  readonly scenarios: number | null;
  /** Whether the model's pairs of operations were searched, instead of generated scenarios. */
  readonly pairs: boolean;
  /** The bound of its searches; null: none. `coverage` says what was searched. */
  readonly preemptions: number | null;
  /** Whether searches left out what comes to the same. */
  readonly reduction: boolean;
  /** Faults that could strike, and checkers, by name. */
  readonly faults: readonly string[];
  readonly checkers: readonly string[];
  readonly checkDeterminism: boolean;
  /** Whether it ended at the first violation. */
  readonly failFast: boolean;
}

/** When, where and of what something was made: with this one can tell whether two are about the same. */
export interface Provenance {
  readonly startedAt: string;
  readonly environment: Environment;
  /** SHA-256 of each of the model's sources, by path. */
  readonly hashes: { readonly [path: string]: string };
}

/** All that a campaign did and found: what reports are made of. Times aside, a function of the seed. */
export interface Campaign extends Provenance {
  readonly service: string;
  readonly mutant: string | null;
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly seed: number;
  readonly strategy: string;
  readonly settings: Settings;
  readonly control: Control;
  readonly clients: { readonly min: number; readonly max: number };
  readonly elapsedMs: number;
  readonly scenarios: number;
  readonly executions: number;
  readonly executionsPerSecond: number;
  /** Executions that checkers made for comparison; `executions` leaves them out. */
  readonly compared: number;
  readonly steps: number;
  readonly preemptions: number;
  readonly waits: number;
  readonly deadlocks: number;
  /** Faults that struck, by kind. */
  readonly faults: { readonly [fault: string]: number };
  /** Executions by the operations that they have, such as `cancel + create`. */
  readonly mixes: { readonly [operations: string]: number };
  /** Executions by how often somebody had to wait: `0`, `1`, `2`, `3 or more`. */
  readonly executionsByWaits: { readonly [waits: string]: number };
  /** How many fingerprints were known after so many executions (see `fingerprintOf`). */
  readonly saturation: readonly { readonly executions: number; readonly fingerprints: number }[];
  /** Executions by number of clients. */
  readonly executionsByClients: { readonly [clients: string]: number };
  /** Executions that broke a rule. */
  readonly violations: number;
  readonly rules: readonly RuleCount[];
  /** Operations by operation, then by response code. */
  readonly responses: { readonly [operation: string]: { readonly [code: string]: number } };
  readonly patterns: readonly PatternCount[];
  /** The searches of the model's pairs of operations; empty where scenarios were generated. */
  readonly pairs: readonly PairSearch[];
  /** What became of those that were kept, and were executed first. */
  readonly regressions: readonly RegressionResult[];
  readonly counterexamples: readonly Counterexample[];
  /** What searches covered, and with which bounds, in sentences. */
  readonly coverage: readonly string[];
  /** What the harness controlled, and what it did not, in sentences. */
  readonly controlled: readonly string[];
  readonly uncontrolled: readonly string[];
  /** SHA-256 of each routine of the schema as the server holds it, before gates are put into it. */
  readonly routines: { readonly [routine: string]: string };
  /**
   * SHA-256 over every scenario, schedule, statement, response and violation in order: equal for
   * two campaigns that saw the same.
   */
  readonly digest: string;
}
