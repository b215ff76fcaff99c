/**
 * What a model of a service, or anything else outside the harness, may use of it. docs/library.md has
 * an example of each.
 */
export { audit } from "./audit/audit.ts";
export type { Assault, Attack, Round, Target } from "./core/attack.ts";
export type { Command } from "./core/command.ts";
export { HarnessError } from "./core/error.ts";
export type { Snapshot } from "./core/execution.ts";
export type { Event, Operation, Response } from "./core/history.ts";
export type { IdFields } from "./core/ids.ts";
export type { Invariant } from "./core/invariant.ts";
export type { Json, JsonObject } from "./core/json.ts";
export type { Promised } from "./core/layers.ts";
export { type Account, isUnknown, type Model } from "./core/model.ts";
export type { Survivor } from "./core/mutation.ts";
export type { Scenario } from "./core/scenario.ts";
export type { Violation } from "./core/verdict.ts";
export type { System, SystemContext } from "./execution/system.ts";
export type { Bounds, Mutant, Pair, Pattern, Subject } from "./explorer/subject.ts";
export { derivationOf } from "./mutation/derived-subject.ts";
export { type Server, startServer } from "./postgres/provider.ts";
export { TestClock } from "./postgres/test-clock.ts";
export {
  type ClientContext,
  defineScenario,
  type ScenarioDefinition,
} from "./scenario-file/definition.ts";
export { type Strategy, strategies } from "./scheduler/strategies.ts";
export { type VerifyOptions, verify } from "./verify.ts";
