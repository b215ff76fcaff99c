import type { Fault } from "../core/fault.ts";
import type { Trace } from "../core/trace.ts";
import type { GatedDatabaseOptions } from "./gated-database.ts";
import type { SetupLimits } from "./setup-progress.ts";

/** An execution that is paused at quiescence. It continues once the callback resolves. */
export interface PausedExecution {
  readonly trace: Trace;
  /** Connection string of its database, past the proxy. */
  readonly directUrl: string;
}

export interface ExecutorOptions extends GatedDatabaseOptions, SetupLimits {
  /**
   * The longest time from a step to quiescence, in ms; also for a reset, for an observation, and for
   * which a setup may leave the database without anything to do.
   */
  readonly stepTimeoutMs: number;
  /** The faults that may be injected. Default: all except those that end processes. */
  readonly faults?: readonly Fault[];
  /** The names of the clients. Default: they have numbers. */
  readonly names?: readonly string[] | undefined;
  /** The path of a file for the standard error of a service that is started. Default: none. */
  readonly serviceLog?: string | undefined;
  /** Aborting it ends the execution that is under way with HarnessError `INTERRUPTED`. */
  readonly signal: AbortSignal | undefined;
  /** Is called at each quiescence of an execution, before its next step. */
  readonly pause?: (paused: PausedExecution) => Promise<void>;
}
