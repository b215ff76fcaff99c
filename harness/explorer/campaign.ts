import type { Control } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Verdict } from "../core/verdict.ts";

/** The share of generated scenarios that match a pattern. */
export interface PatternCount {
  readonly name: string;
  readonly description: string;
  /** The number of scenarios that match. */
  readonly scenarios: number;
  /** `scenarios` as a share of all scenarios, from 0 to 1. */
  readonly share: number;
  /** The minimum share that the service promises. */
  readonly threshold: number;
  /** Whether the share is more than three standard deviations below the threshold. */
  readonly missed: boolean;
}

/** The number of executions that a rule was applied to, and of those that violated it. */
export interface RuleCount {
  readonly checker: string;
  readonly name: string;
  readonly description: string;
  /** See `Rule.prefix`. */
  readonly prefix?: string;
  readonly checked: number;
  /** Executions that violated the rule. */
  readonly violated: number;
}

/** The search of one pair of operations. */
export interface PairSearch {
  /** The name of the pair. */
  readonly name: string;
  /** The number of executions, each with another interleaving. */
  readonly explored: number;
  /**
   * The number of choices that were skipped, since each leads only to schedules that are equivalent
   * to executed ones; null for a search without reduction.
   */
  readonly pruned: number | null;
  /** Whether all interleavings within the bound, or equivalent ones, were executed. */
  readonly complete: boolean;
  /** The number of executions that differ in a response or in the final state. */
  readonly outcomes: number;
  /** The names of the rules that executions broke first, separated by commas. Default: none was broken. */
  readonly violated?: string;
}

/**
 * The outcome of executing a regression. `fails`: its rule is still violated. `fixed`: the execution
 * took the recorded course, and the rule holds. `stale`: the execution diverged from the recorded
 * course, so that it shows nothing.
 */
export type RegressionOutcome = "fails" | "fixed" | "stale";

/** What became of one regression. */
export interface RegressionResult {
  /** The path of its file, relative to the working directory. */
  readonly file: string;
  /** The name of the rule that it violated when it was recorded. */
  readonly rule: string;
  readonly outcome: RegressionOutcome;
}

/** A part of statements that has no gate although clients can race there. */
export interface UngatedCount {
  /** Such as `the exclusion constraint on e`. */
  readonly name: string;
  /**
   * The number of executions in which clients ran freely there; 0 if no two of them ever came to it at the
   * same time; null if that is not known.
   */
  readonly sampled: number | null;
}

/** The machine and the versions that a result was made with. */
export interface Environment {
  /** The version of Heddle. */
  readonly heddle: string;
  /** The version of Node.js. */
  readonly node: string;
  /** Such as `linux x64`. */
  readonly platform: string;
  /** The number of CPUs that Node.js may use. */
  readonly cpus: number;
  readonly postgres: {
    readonly provider: string;
    readonly version: string;
    /** How lock waits are detected: pushed by the server, or polled. */
    readonly lockWaits: "pushed" | "polled";
  };
}

/** The settings of a campaign. Together with the seed and the sources they reproduce it. */
export interface Settings {
  /** The most executions; null: no limit. */
  readonly runs: number | null;
  /** The most time for exploring, in ms; null: no limit. */
  readonly timeMs: number | null;
  /** The most scenarios; null: no limit. */
  readonly scenarios: number | null;
  /** Whether pairs of operations were searched instead of generated scenarios. */
  readonly pairs: boolean;
  /** The most preemptions in its searches; null: no bound. `coverage` says what was searched. */
  readonly preemptions: number | null;
  /** Whether searches skipped equivalent schedules. */
  readonly reduction: boolean;
  /** The kinds of faults that could be injected. */
  readonly faults: readonly string[];
  /** The names of the checkers. */
  readonly checkers: readonly string[];
  /** Whether each schedule was executed twice and the executions compared. */
  readonly checkDeterminism: boolean;
  /** Whether the campaign ended at the first violation. */
  readonly failFast: boolean;
}

/** When, where and from which sources a result was made. */
export interface Provenance {
  /** When the work began, in ISO 8601. */
  readonly startedAt: string;
  readonly environment: Environment;
  /** SHA-256 of each of the service's sources, by path. */
  readonly hashes: { readonly [path: string]: string };
}

/**
 * The result of a campaign, from which reports are made. The seed, the settings and the sources determine
 * all of it but the times.
 */
export interface Campaign extends Provenance {
  /** The name of the service. */
  readonly service: string;
  /** The name of the mutant that was applied; null: none. */
  readonly mutant: string | null;
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly seed: number;
  /** The name of the strategy. */
  readonly strategy: string;
  readonly settings: Settings;
  readonly control: Control;
  /** How many clients a generated scenario could have. */
  readonly clients: { readonly min: number; readonly max: number };
  /** The time for exploring and shrinking, in ms. */
  readonly elapsedMs: number;
  /** The number of scenarios that were explored. */
  readonly scenarios: number;
  /** The number of executions, shrinking and comparisons left out. */
  readonly executions: number;
  readonly executionsPerSecond: number;
  /** Executions that checkers made for comparison; `executions` leaves them out. */
  readonly compared: number;
  /** The steps of all executions. */
  readonly steps: number;
  /** The preemptions of all executions. */
  readonly preemptions: number;
  /** How often a statement waited for a lock. */
  readonly waits: number;
  /** How often PostgreSQL ended a deadlock. */
  readonly deadlocks: number;
  /** Injected faults by kind. */
  readonly faults: { readonly [fault: string]: number };
  /** Executions by the names of their operations, such as `cancel + create`. */
  readonly mixes: { readonly [operations: string]: number };
  /** Executions by the number of waits for a lock: `0`, `1`, `2`, `3 or more`. */
  readonly executionsByWaits: { readonly [waits: string]: number };
  /**
   * The number of different fingerprints after so many executions. Executions with the same operations,
   * response codes and numbers of lock waits have the same fingerprint.
   */
  readonly saturation: readonly { readonly executions: number; readonly fingerprints: number }[];
  /** Executions by the number of clients. */
  readonly executionsByClients: { readonly [clients: string]: number };
  /** Executions that broke a rule. */
  readonly violations: number;
  /** By rule: how many executions it was applied to, and how many violated it. */
  readonly rules: readonly RuleCount[];
  /** Responses by operation, then by response code. */
  readonly responses: { readonly [operation: string]: { readonly [code: string]: number } };
  /** The service's patterns, and how many scenarios match each. */
  readonly patterns: readonly PatternCount[];
  /** The searches of the service's pairs of operations; empty where scenarios were generated. */
  readonly pairs: readonly PairSearch[];
  /** The regressions, which were executed first. */
  readonly regressions: readonly RegressionResult[];
  /**
   * The first violation of each rule, or, for a service definition, of each group of operations; shrunk.
   * With `failFast` at most one.
   */
  readonly counterexamples: readonly Counterexample[];
  /** What the searches covered, in sentences. */
  readonly coverage: readonly string[];
  /** What Heddle controlled, in sentences. */
  readonly controlled: readonly string[];
  /** The parts that have no gate although clients can race there: a complete search is so but for them. */
  readonly ungated: readonly UngatedCount[];
  /** What Heddle did not control, in sentences. */
  readonly uncontrolled: readonly string[];
  /** The file with the standard error of a service that Heddle started; null if it has printed nothing. */
  readonly serviceLog: string | null;
  /** SHA-256 of each routine of the schema, as it is before instrumentation. */
  readonly routines: { readonly [routine: string]: string };
  /**
   * SHA-256 over every scenario, schedule, statement, response and violation in order: two campaigns
   * with the same executions have the same digest.
   */
  readonly digest: string;
}
