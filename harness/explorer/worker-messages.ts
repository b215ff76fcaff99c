import type { RuleName } from "../checkers/checker.ts";
import type { CheckerName } from "../checkers/registry.ts";
import type { Control } from "../core/control.ts";
import type { HarnessErrorCode } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Query } from "../execution/observation.ts";
import type { Database, Server } from "../postgres/provider.ts";
import type { StrategyName, StrategyOptions } from "../scheduler/strategies.ts";
import type { AppliedMutant } from "../service/open-executor.ts";
import type { Bounds } from "../service/service.ts";
import type { AcceptedViolation } from "./accepted.ts";
import type { ScenarioResult } from "./explore-scenario.ts";

/** The options of a worker process, from which it makes the same scenarios as the main process. */
export interface WorkerOptions {
  /** The path of the module that exports the service. */
  readonly serviceFile: string;
  /** What the service learned of itself (see `Service.profiled`). */
  readonly profile: Json;
  /** The names of the pairs that are explored, in their order (see `ProfiledService`). */
  readonly pairNames: readonly string[] | undefined;
  readonly mutant: AppliedMutant | undefined;
  /** The queries of the service and of the user. */
  readonly queries: readonly Query[];
  readonly seed: number;
  readonly bounds: Bounds;
  readonly pairs: boolean;
  readonly scenarios?: number | undefined;
  readonly failFast?: boolean | undefined;
  /** A built-in strategy and its options. */
  readonly strategy: StrategyName;
  readonly strategyOptions: StrategyOptions;
  readonly checkers: readonly CheckerName[];
  readonly rules?: readonly RuleName[] | undefined;
  readonly accepted: readonly AcceptedViolation[];
  readonly checkDeterminism: boolean;
  readonly control: Control;
  readonly stepTimeoutMs: number;
  readonly server: Pick<Server, "provider" | "version" | "superuser" | "description" | "folder">;
}

export interface PlainError {
  readonly code: HarnessErrorCode;
  readonly message: string;
}

/** What a worker asks the main process to do with a database. */
export type DatabaseCall = "save" | "restore" | "drop";

export type LeasedDatabase = Omit<Database, DatabaseCall>;

/** `stop` ends a scenario after its current execution; `interrupt` ends the current execution too, for good. */
export type ToWorker =
  | { readonly type: "start"; readonly options: WorkerOptions }
  | {
      readonly type: "explore";
      readonly index: number;
      readonly used: number;
      readonly executions: number;
      readonly timeMs: number;
    }
  | { readonly type: "stop" }
  | { readonly type: "interrupt" }
  | { readonly type: "leased"; readonly database: LeasedDatabase }
  | { readonly type: "refused"; readonly error: PlainError }
  | { readonly type: "done" }
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
  | { readonly type: DatabaseCall; readonly name: string };
