import type { Provenance } from "./campaign.ts";
import type { GateLevel } from "./control.ts";
import type { Counterexample } from "./counterexample.ts";
import type { Fault } from "./fault.ts";
import type { Verdict } from "./verdict.ts";

/** When a judge first found something. */
export interface JudgedFirst {
  readonly judge: string;
  /** Executions until then, that one included. */
  readonly executions: number;
  /** Since the first execution began. */
  readonly elapsedMs: number;
}

/** What became of a planted bug. */
export interface PlantedResult {
  readonly name: string;
  readonly story: string;
  /** Who must catch it; null of one that nothing can tell from the service as shipped. */
  readonly judge: string | null;
  /** Why nothing can tell it; null of all others. */
  readonly equivalent: string | null;
  readonly gates: readonly GateLevel[];
  /** What struck now and then. */
  readonly faults: readonly Fault[];
  /**
   * `caught`: by the judge that must. `survived`: that judge found nothing within the budget, even
   * if others did. `untold`: nobody can tell it, and nobody did. `false alarm`: somebody did.
   * `unknown`: it could not be run, or not be judged.
   */
  readonly outcome: "caught" | "survived" | "untold" | "false alarm" | "unknown";
  /** Who found something, each alone: in the order in which they did. */
  readonly judges: readonly JudgedFirst[];
  readonly executions: number;
  readonly elapsedMs: number;
  /** Shrunk; of the judge that must catch it, or of whoever found something. */
  readonly counterexample: Counterexample | null;
  /** The smallest that was known before. */
  readonly smallest: {
    readonly commands: number;
    readonly preemptions: number;
    readonly faults?: number;
  } | null;
  /** How many replays of the counterexample, on another database, saw exactly the same. */
  readonly replays: { readonly identical: number; readonly of: number } | null;
  /** What went wrong, or differs from what is expected of it. */
  readonly reason: string | null;
}

/** The unmutated service, within the same budget. */
export interface Shipped {
  readonly gates: readonly GateLevel[];
  /** What struck now and then. */
  readonly faults: readonly Fault[];
  readonly verdict: Verdict;
  readonly executions: number;
  readonly elapsedMs: number;
  readonly judges: readonly JudgedFirst[];
  readonly reason: string | null;
}

/** What a model's planted bugs say of the harness: whether a red run was possible. */
export interface PlantedReport extends Provenance {
  readonly model: string;
  readonly seed: number;
  /** The most executions of each, and the most time, in ms. */
  readonly budget: { readonly runs: number; readonly timeMs: number | null };
  /** Whether each ran to the end of its budget, so that every judge had its chance. */
  readonly allJudges: boolean;
  readonly verdict: Verdict;
  readonly elapsedMs: number;
  readonly results: readonly PlantedResult[];
  readonly unmutated: readonly Shipped[];
  /** Bugs of the model that were left out, by name: others were asked for, or it was interrupted. */
  readonly untried: readonly string[];
}
