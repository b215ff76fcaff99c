import { ISOLATIONS, type IsolationName, isolationNamed } from "../core/control.ts";
import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { isTypo } from "../core/unknown-key.ts";
import { isFunction, isRecord, isText, keysOf, unknownMember } from "./definition-members.ts";
import { operationProblem } from "./operation-definition.ts";
import {
  type ClientQuery,
  type ExpectedError,
  expectedErrorsProblem,
  type HttpService,
  type SetupStep,
  serviceProblem,
  setupProblem,
} from "./scenario-definition.ts";
import {
  type GivenOperations,
  isOperationSource,
  type Operations,
} from "./sources/operation-source.ts";

/** A service in the process of Heddle, as a function started it. */
export interface StartedHere {
  /** The URL at which it takes requests. */
  readonly url: string;
  stop(): unknown;
}

/** Starts a service in the process of Heddle: its connections have to use `databaseUrl`. */
export type StartService = (context: {
  readonly databaseUrl: string;
}) => StartedHere | Promise<StartedHere>;

/** An operation that a client sent, and what it was answered. */
export interface AnsweredOperation {
  /** From 0. */
  readonly client: number;
  readonly operation: string;
  /** With ids in place of row references. */
  readonly arguments: JsonObject;
  /** The HTTP status, `OK`, or the code of an error. */
  readonly code: string;
  readonly body: Json;
}

/** The argument of an invariant function, which is called after all clients are done. */
export interface ServiceInvariantContext {
  /** Reads committed state. */
  readonly query: ClientQuery;
  /** All rows before the clients began, by table with its schema: `public.items`. */
  readonly initial: Snapshot;
  /** In the order of the answers. */
  readonly answers: readonly AnsweredOperation[];
}

/**
 * SQL that must return no rows; or a function that returns the rows that break the invariant (an empty
 * list or nothing if it holds), or fails an assertion.
 */
export type ServiceInvariant =
  | string
  | ((context: ServiceInvariantContext) => unknown | Promise<unknown>);

/** A service, and the operations that its clients may send: see `defineService`. */
export interface ServiceDefinition {
  /** What is executed in an empty database, past every gate, before the service starts. */
  readonly setup: SetupStep | readonly SetupStep[];
  /** The service that HTTP operations are sent to. Default: none, for a service that is SQL alone. */
  readonly service?: HttpService | StartService;
  /**
   * By name: what clients may send; `fromOpenApi(…)` or `fromFunctions(…)`; or a list of these, of which a
   * later one replaces operations of the same name.
   */
  readonly operations: GivenOperations;
  /** By name: what must hold when all clients are done. Default: none. */
  readonly invariants?: { readonly [name: string]: ServiceInvariant };
  /**
   * The isolation level of transactions that do not set one, such as `"repeatable read"`. The option
   * `--isolation` comes first. Default: `"read committed"`.
   */
  readonly isolation?: IsolationName;
  /**
   * Answers that are no finding although they look like one: codes (`40001`), names (`serialization_failure`),
   * whole messages and patterns of messages. After 40001 and 40P01 the client is meant to send the operation
   * again. Default: none.
   */
  readonly errors?: readonly ExpectedError[];
  /**
   * Tables (`audit_log`) and columns (`items.viewed_at`) in which executions may differ from every serial
   * order. Default: none.
   */
  readonly ignore?: readonly string[];
  /**
   * Fields with generated ids, besides those that the catalog names: by table with its schema, operation
   * or property. Default: none.
   */
  readonly ids?: IdFields;
  /** Reports and regressions carry it. Default: the path of the file. */
  readonly name?: string;
}

/** A definition whose operations are all known. */
export interface ResolvedDefinition extends ServiceDefinition {
  readonly operations: Operations;
}

/**
 * Returns the definition, with its type checked. Nothing else has to be written: initial states are made
 * by the operations themselves, and executions have to equal some serial order of their operations.
 *
 * ```ts
 * // shop.heddle.ts: npx heddle verify shop.heddle.ts
 * import fc from "fast-check";
 * import { defineService, http, rowOf } from "heddle";
 *
 * export default defineService({
 *   setup: ["migrations/*.sql", "seed.sql"],
 *   service: { exec: ["node", "server.js"] },
 *   operations: {
 *     order: http.post("/orders", { item: rowOf("items.id"), quantity: fc.integer({ min: 1, max: 3 }) }),
 *     cancel: http.post("/orders/:id/cancel", { id: rowOf("orders.id") }),
 *   },
 *   invariants: { "stock is never negative": "select * from items where stock < 0" },
 * });
 * ```
 */
export function defineService(definition: ServiceDefinition): ServiceDefinition {
  return definition;
}

const MEMBERS = keysOf<ServiceDefinition>({
  setup: true,
  service: true,
  operations: true,
  invariants: true,
  isolation: true,
  errors: true,
  ignore: true,
  ids: true,
  name: true,
});

/** Whether a value is meant to be a service definition. It may have problems. */
export function looksLikeService(value: unknown): boolean {
  return (
    isRecord(value) &&
    !("migrate" in value) &&
    !("clients" in value) &&
    Object.keys(value).some((key) => isTypo(key, "operations"))
  );
}

export function isServiceDefinition(value: unknown): value is ServiceDefinition {
  return serviceDefinitionProblem(value) === undefined;
}

/** Why a value is not a service definition; undefined if it is one. */
export function serviceDefinitionProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return "it has no `export default defineService({ … })`";
  const unknown = unknownMember(value, MEMBERS);
  if (unknown !== undefined) return `it ${unknown}`;
  const { setup, service, operations, invariants = {}, errors = [], ignore = [], ids = {} } = value;
  const problemOfSetup = setupProblem(setup);
  if (problemOfSetup !== undefined) return problemOfSetup;
  if (service !== undefined && !isFunction(service)) {
    const problem = serviceProblem(service);
    if (problem !== undefined) return `\`service\` ${problem}, and is no function`;
  }
  const problem = operationsProblem(operations, service !== undefined);
  if (problem !== undefined) return problem;
  if (!isRecord(invariants)) return "`invariants` is not an object of SQL or functions by name";
  const invalid = Object.entries(invariants).find(([, it]) => !isText(it) && !isFunction(it));
  if (invalid !== undefined) return `the invariant "${invalid[0]}" is neither SQL nor a function`;
  const { isolation } = value;
  if (isolation !== undefined && !(isText(isolation) && isolationNamed(isolation))) {
    return `\`isolation\` is none of ${ISOLATIONS.map((level) => `"${level}"`).join(", ")}`;
  }
  const errorsProblem = expectedErrorsProblem(errors);
  if (errorsProblem !== undefined) return errorsProblem;
  if (!Array.isArray(ignore) || !ignore.every(isText)) {
    return "`ignore` is not a list of tables and columns";
  }
  if (!isRecord(ids)) return "`ids` is not an object of kinds by table and field";
  if (value["name"] !== undefined && !isText(value["name"])) return "`name` is not a text";
  return undefined;
}

function operationsProblem(given: unknown, hasService: boolean): string | undefined {
  const parts: readonly unknown[] = Array.isArray(given) ? given : [given];
  let isEmpty = true;
  for (const part of parts) {
    if (!isRecord(part)) {
      return "`operations` is not an object of operations by name, nor a source of operations, nor a list of these";
    }
    if (isOperationSource(part)) {
      isEmpty = false;
      continue;
    }
    for (const [name, operation] of Object.entries(part)) {
      isEmpty = false;
      const problem = operationProblem(operation);
      if (problem !== undefined) return `the operation "${name}" ${problem}`;
      if (isRecord(operation) && "http" in operation && !hasService) {
        return `the operation "${name}" is an HTTP request, but there is no \`service\`: add one`;
      }
    }
  }
  return isEmpty ? "`operations` is empty: there is nothing to send" : undefined;
}
