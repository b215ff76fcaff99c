import type { Control } from "../core/control.ts";
import type { HarnessErrorCode } from "../core/error.ts";
import type { Query } from "../execution/queries.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { StrategyOptions } from "../scheduler/strategies.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Bounds } from "../service/service.ts";
import type { CheckerName, RuleName } from "./checkers.ts";
import type { ScenarioResult } from "./explore-scenario.ts";

/** What a worker process has to be told of a campaign, to explore its scenarios by itself. */
export interface WorkerOptions {
  /** The path of the model's file. */
  readonly serviceFile: string;
  readonly mutant: AppliedMutant | undefined;
  /** The service's, and those of the user. */
  readonly queries: readonly Query[];
  readonly seed: number;
  readonly bounds: Bounds;
  readonly pairs: boolean;
  readonly scenarios?: number | undefined;
  /** The strategy's name, and what it was made with. */
  readonly strategy: string;
  readonly strategyOptions: StrategyOptions;
  readonly checkers: readonly CheckerName[];
  readonly rules?: readonly RuleName[] | undefined;
  readonly checkDeterminism: boolean;
  readonly control: Control;
  readonly stepTimeoutMs: number;
  readonly server: Pick<Server, "provider" | "version" | "description" | "folder">;
}

export interface PlainError {
  readonly code: HarnessErrorCode;
  readonly message: string;
}

export type LeasedDatabase = Omit<Database, "drop">;

/** `stop` ends a scenario after the execution that is under way, `interrupt` at once and for good. */
export type ToWorker =
  | { readonly type: "start"; readonly options: WorkerOptions }
  | {
      readonly type: "explore";
      readonly index: number;
      readonly used: number;
      readonly executions: number;
    }
  | { readonly type: "stop" }
  | { readonly type: "interrupt" }
  | { readonly type: "leased"; readonly database: LeasedDatabase }
  | { readonly type: "refused"; readonly error: PlainError }
  | { readonly type: "dropped" }
  | { readonly type: "close" };

export type FromWorker =
  | { readonly type: "ready" }
  | { readonly type: "failed"; readonly error: PlainError }
  | { readonly type: "executed"; readonly violations: number }
  | {
      readonly type: "explored";
      readonly explored: Omit<ScenarioResult, "error">;
      readonly error: PlainError | undefined;
    }
  | { readonly type: "lease" }
  | { readonly type: "drop"; readonly name: string };
