import type { GateLevel } from "../core/control.ts";
import type { Counterexample } from "../core/counterexample.ts";
import type { Fault } from "../core/fault.ts";
import type { Verdict } from "../core/verdict.ts";
import type { Provenance } from "../explorer/campaign.ts";

/** When a checker first found something. */
export interface CheckerFinding {
  readonly checker: string;
  /** Executions until then, that one included. */
  readonly executions: number;
  /** Since the first execution began. */
  readonly elapsedMs: number;
}

/** What became of a seeded bug. */
export interface SeededBugResult {
  readonly name: string;
  readonly story: string;
  /** Who must catch it; null of one that nothing can tell from the service without a bug. */
  readonly checker: string | null;
  /** Why nothing can tell it; null of all others. */
  readonly equivalent: string | null;
  readonly gates: readonly GateLevel[];
  /** What struck now and then. */
  readonly faults: readonly Fault[];
  /**
   * `caught`: by the checker that must. `survived`: that checker found nothing within the budget, even
   * if others did. `equivalent`: it changes no behaviour, and no checker found a violation. `false alarm`: one did.
   * `unknown`: it could not be run, or not be checked.
   */
  readonly outcome: "caught" | "survived" | "equivalent" | "false alarm" | "unknown";
  /** Who found something, each alone: in the order in which they did. */
  readonly checkers: readonly CheckerFinding[];
  readonly executions: number;
  readonly elapsedMs: number;
  /** Shrunk; of the checker that must catch it, or of whoever found something. */
  readonly counterexample: Counterexample | null;
  /** The smallest that was known before. */
  readonly smallest: {
    readonly operations: number;
    readonly preemptions: number;
    readonly faults?: number;
  } | null;
  /** How many replays of the counterexample, on another database, saw exactly the same. */
  readonly replays: { readonly identical: number; readonly of: number } | null;
  /** What went wrong, or differs from what is expected of it. */
  readonly reason: string | null;
}

/** The unmutated service, within the same budget. */
export interface BaselineResult {
  readonly gates: readonly GateLevel[];
  /** What struck now and then. */
  readonly faults: readonly Fault[];
  readonly verdict: Verdict;
  readonly executions: number;
  readonly elapsedMs: number;
  readonly checkers: readonly CheckerFinding[];
  readonly reason: string | null;
}

/** What a model's seeded bugs say of the harness: whether a red run was possible. */
export interface SeededBugReport extends Provenance {
  readonly service: string;
  readonly seed: number;
  /** The most executions of each, and the most time, in ms. */
  readonly budget: { readonly runs: number; readonly timeMs: number | null };
  /** Whether each ran to the end of its budget, so that every checker had its chance. */
  readonly allCheckers: boolean;
  readonly verdict: Verdict;
  readonly elapsedMs: number;
  readonly results: readonly SeededBugResult[];
  readonly baseline: readonly BaselineResult[];
  /** Bugs of the model that were left out, by name: others were asked for, or it was interrupted. */
  readonly untried: readonly string[];
}
