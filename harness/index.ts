/**
 * What a model of a service, or anything else outside the harness, may use of it. docs/library.md has
 * an example of each.
 */

export { audit } from "./audit/audit.ts";
export { HarnessError } from "./core/error.ts";
export type { Snapshot } from "./core/execution.ts";
export type { Call, Event, Response } from "./core/history.ts";
export type { IdFields } from "./core/ids.ts";
export type { Invariant } from "./core/invariant.ts";
export type { Json, JsonObject } from "./core/json.ts";
export { isUnknown, type Model, type ObservedHistory } from "./core/model.ts";
export type { Operation } from "./core/operation.ts";
export type { Scenario } from "./core/scenario.ts";
export type { Violation } from "./core/verdict.ts";
export type { System, SystemContext } from "./execution/system.ts";
export { type VerifyOptions, verify } from "./explorer/verify.ts";
export { derivationOf } from "./mutation/derivation.ts";
export { type Server, startServer } from "./postgres/provider.ts";
export { TestClock } from "./postgres/test-clock.ts";
export { type Strategy, strategies } from "./scheduler/strategies.ts";
export type { Attack, AttackRun, Round, Target } from "./service/attack.ts";
export type { Promised } from "./service/promise.ts";
export {
  type ClientContext,
  defineScenario,
  type ScenarioDefinition,
} from "./service/scenario-definition.ts";
export type { Bounds, Mutant, Pair, Pattern, Service, Survivor } from "./service/service.ts";
