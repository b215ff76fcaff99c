/**
 * The public API of Heddle: functions and classes, and every type that their signatures mention.
 * docs/library.md has an example of each function; docs/api.md is the reference.
 */

export { type AuditOptions, audit } from "./audit/audit.ts";
export type * from "./audit/audit-report.ts";
export type { Rule, RuleName } from "./checkers/checker.ts";
export type { CheckerName } from "./checkers/registry.ts";
export type { Control, GateLevel, Isolation, IsolationName } from "./core/control.ts";
export type * from "./core/counterexample.ts";
export { HarnessError, type HarnessErrorCode } from "./core/error.ts";
export type { Commit, Completion, Execution, ServiceEnd, Snapshot } from "./core/execution.ts";
export type { Fault } from "./core/fault.ts";
export type { Footprint, Touched } from "./core/footprint.ts";
export type { Call, Event, History, Invocation, Response, Return } from "./core/history.ts";
export type * from "./core/ids.ts";
export type * from "./core/json.ts";
export { isUnknown, type Model, type ObservedHistory } from "./core/model.ts";
export type * from "./core/operation.ts";
export type * from "./core/order-difference.ts";
export type { Scenario } from "./core/scenario.ts";
export type { Action, Choice, Entry, Schedule, Task } from "./core/schedule.ts";
export type * from "./core/trace.ts";
export type * from "./core/verdict.ts";
export type { VolatileValue } from "./core/volatile-values.ts";
export type { Query } from "./execution/observation.ts";
export type * from "./execution/system.ts";
export type { ExecutionCounts, Progress } from "./explorer/bounded-exploration.ts";
export type * from "./explorer/campaign.ts";
export type { Change, ChangedFile } from "./explorer/changed-pairs.ts";
export type { CampaignResult } from "./explorer/run-campaign.ts";
export type { Shard } from "./explorer/shards.ts";
export { type VerifyOptions, verify, type Workers } from "./explorer/verify.ts";
export { type Derivation, derivationOf, type InvalidMutant } from "./mutation/derivation.ts";
export type { MutationKind } from "./mutation/mutation-points.ts";
export type { DerivedMutant } from "./mutation/objects.ts";
export type { Unmutated } from "./mutation/routines.ts";
export { startServer } from "./postgres/provider.ts";
export type * from "./postgres/server.ts";
export { TestClock } from "./postgres/test-clock.ts";
export type * from "./scheduler/scheduler.ts";
export type * from "./scheduler/strategies.ts";
export { strategies } from "./scheduler/strategies.ts";
export type * from "./service/attack.ts";
export type { AppliedMutant, SchemaMutant } from "./service/open-executor.ts";
export type * from "./service/operation-definition.ts";
export { http, sql } from "./service/operation-definition.ts";
export { type ColumnName, type RowReference, rowOf } from "./service/row-reference.ts";
export type * from "./service/scenario-definition.ts";
export { defineScenario } from "./service/scenario-definition.ts";
export type * from "./service/service.ts";
export type * from "./service/service-definition.ts";
export { defineService } from "./service/service-definition.ts";
export type * from "./service/sources/catalog.ts";
export { fromFunctions } from "./service/sources/from-functions.ts";
export { fromHar } from "./service/sources/from-har.ts";
export { fromOpenApi } from "./service/sources/from-openapi.ts";
export type * from "./service/sources/operation-source.ts";
