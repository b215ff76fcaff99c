import type { Arbitrary } from "fast-check";
import { ISOLATIONS, type IsolationName, isolationNamed } from "../core/control.ts";
import type { Snapshot } from "../core/execution.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import type { Scenario } from "../core/scenario.ts";
import { isTypo } from "../core/unknown-key.ts";
import type { Attack } from "./attack.ts";
import { isFunction, isRecord, isText, keysOf, unknownMember } from "./definition-members.ts";
import type { ServiceModel } from "./model-definition.ts";
import {
  type Arguments,
  type DefinedOperation,
  type DefinedState,
  operationProblem,
} from "./operation-definition.ts";
import {
  type ClientQuery,
  type ExpectedError,
  expectedErrorsProblem,
  type HttpService,
  type SetupStep,
  serviceProblem,
  setupProblem,
} from "./scenario-definition.ts";
import type { Bounds, SeededBug, ServicePromise, Survivor } from "./service.ts";
import type { OutsideService, StartService } from "./service-start.ts";
import {
  type GivenOperations,
  isOperationSource,
  type Operations,
} from "./sources/operation-source.ts";

/** The headers with which an identity sends its requests. */
export type Headers = { readonly [name: string]: string };

/** Makes the headers of a request by the name of its sender. */
export type Identify = (
  as: string,
  request: { readonly client: number; readonly values: JsonObject },
) => Headers | Promise<Headers>;

/**
 * Who sends requests: the headers of each identity by its name, such as those with a token; or a function
 * that makes them.
 */
export type Identities = { readonly [name: string]: Headers | Identify } | Identify;

/** A bug that is planted by hand: in the schema, or in the service that `service` starts with its name. */
export type DefinedBug = SeededBug & {
  /** Executed after the setup. Default: nothing. */
  readonly setup?: SetupStep | readonly SetupStep[];
};

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

/**
 * The argument of an invariant function, which is called after all clients are done. With
 * `--invariants each-commit` it is also called after each commit, unless it reads `answers`.
 */
export interface ServiceInvariantContext<Outside = unknown> {
  /** Reads committed state. */
  readonly query: ClientQuery;
  /** All rows before the clients began, by table with its schema: `public.items`. */
  readonly initial: Snapshot;
  /** In the order of the answers. */
  readonly answers: readonly AnsweredOperation[];
  /** What `outside` has started. Undefined without it. */
  readonly outside: Outside;
}

/**
 * SQL that must return no rows; or a function that returns the rows that break the invariant (an empty
 * list or nothing if it holds), or fails an assertion.
 */
export type ServiceInvariant<Outside = unknown> =
  | string
  // As a method, it may have a narrower type of `outside`.
  | { check(context: ServiceInvariantContext<Outside>): unknown }["check"];

/**
 * A service, and the operations that its clients may send: see `defineService`.
 *
 * @typeParam State what its model keeps
 * @typeParam Outside what it uses besides its database
 */
export interface ServiceDefinition<
  State = unknown,
  Outside extends OutsideService = OutsideService,
> {
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
  readonly invariants?: { readonly [name: string]: ServiceInvariant<Outside> };
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
  /** Who sends the operations that have a sender (`as`). Default: requests have no identity. */
  readonly identities?: Identities;
  /**
   * The sequential specification, for a service whose serial orders may all be wrong. Answers and rows are
   * then checked with it, too. Default: serial orders of the service itself say what is right.
   */
  readonly model?: ServiceModel<State>;
  /** Bugs that are planted by hand, to measure what is caught: `heddle mutants`. Default: none. */
  readonly mutants?: readonly DefinedBug[];
  /** Starts what the service uses besides its database. Default: nothing. */
  outside?(): Outside | Promise<Outside>;
  /**
   * Generates scenarios in place of the derived ones. Without a source of operations, nothing is then learned of
   * the service before a campaign.
   */
  scenarios?(bounds: Bounds, generate: Generate): Arbitrary<DefinedScenario>;
  /** Pairs of operations by name, in place of the derived ones. They need `scenarios`. Default: derived. */
  pairs?(): { readonly [name: string]: DefinedScenario };
  /**
   * How tables are emptied before their rows are put back. `truncate`: rows, also new ones, have the same
   * physical order in each execution. `delete`: five times as fast, and plans stay cached, but a query that
   * does not sort its rows may return them in another order. Default: `"truncate"`.
   */
  readonly restore?: "truncate" | "delete";
  /** The field of an answer over HTTP that has its code. Default: its code is the status. */
  readonly code?: string;
  /** By operation: all codes that it may answer. Default: whatever serial orders and the model explain. */
  readonly codes?: { readonly [operation: string]: readonly string[] };
  /** See `Service.attacks`. Default: none. */
  readonly attacks?: readonly Attack<DefinedState, DefinedOperation>[];
  /** See `Service.promises`. Default: none. */
  readonly promises?: readonly ServicePromise[];
  /** See `Service.survivors`. Default: none. */
  readonly survivors?: readonly Survivor[];
  /**
   * Files besides this one that an execution depends on, as patterns such as `src/*.ts`: reports have their
   * hashes. Tests (`x.test.ts`, `x.fixture.ts`) are left out. Default: none.
   */
  readonly sources?: readonly string[];
  /** Reports and regressions carry it. Default: the path of the file. */
  readonly name?: string;
}

/**
 * Generates operations of the definition.
 *
 * @param name default: any
 * @param fixed arguments in place of those of the definition
 */
export type Generate = (name?: string, fixed?: Arguments) => Arbitrary<DefinedOperation>;

/** A scenario of a definition. */
export type DefinedScenario = Scenario<DefinedState, DefinedOperation>;

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
export function defineService<State, Outside extends OutsideService>(
  definition: ServiceDefinition<State, Outside>,
): ServiceDefinition<State, Outside> {
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
  identities: true,
  model: true,
  mutants: true,
  outside: true,
  scenarios: true,
  pairs: true,
  restore: true,
  code: true,
  codes: true,
  attacks: true,
  promises: true,
  survivors: true,
  sources: true,
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
  return membersProblem(value);
}

/** Members that are given or not, and what they are. */
const OPTIONAL_MEMBERS: {
  readonly [member: string]: readonly [(value: unknown) => boolean, string];
} = {
  name: [isText, "a text"],
  code: [isText, "the name of a field"],
  restore: [(value) => value === "truncate" || value === "delete", '"truncate" or "delete"'],
  identities: [
    (value) =>
      isFunction(value) ||
      (isRecord(value) && Object.values(value).every((one) => isFunction(one) || isRecord(one))),
    "headers by the name of a sender, nor a function",
  ],
  model: [
    (value) => isRecord(value) && isFunction(value["init"]) && isFunction(value["answer"]),
    "an object with `init` and `answer`",
  ],
  mutants: [(value) => isListOf(value, (bug) => isText(bug["name"])), "a list of seeded bugs"],
  outside: [isFunction, "a function"],
  scenarios: [isFunction, "a function"],
  pairs: [isFunction, "a function"],
  codes: [isRecord, "an object of codes by operation"],
  attacks: [(value) => isListOf(value, (one) => isText(one["name"])), "a list of attacks"],
  promises: [(value) => isListOf(value, (one) => isText(one["name"])), "a list of promises"],
  survivors: [(value) => isListOf(value, (one) => isText(one["id"])), "a list of survivors"],
  sources: [(value) => Array.isArray(value) && value.every(isText), "a list of patterns"],
};

function isListOf(
  value: unknown,
  isRight: (item: { readonly [member: string]: unknown }) => boolean,
): boolean {
  return Array.isArray(value) && value.every((item) => isRecord(item) && isRight(item));
}

function membersProblem(value: { readonly [member: string]: unknown }): string | undefined {
  for (const [member, [isRight, what]] of Object.entries(OPTIONAL_MEMBERS)) {
    if (value[member] !== undefined && !isRight(value[member]))
      return `\`${member}\` is not ${what}`;
  }
  if (value["pairs"] !== undefined && value["scenarios"] === undefined) {
    return "`pairs` is given without `scenarios`: give both, or none";
  }
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
