import { ISOLATIONS, type IsolationName, isolationNamed } from "../core/control.ts";
import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { unknownKey } from "../core/unknown-key.ts";
import {
  isFunction,
  isProgram,
  isRecord,
  isText,
  keysOf,
  unknownMember,
} from "./definition-members.ts";

/** Executes a statement, and resolves with its rows. Only `query` of an operation goes through the gates. */
export type ClientQuery = (sql: string, values?: readonly unknown[]) => Promise<JsonObject[]>;

/** The argument of a client function. */
export interface ClientContext {
  /** The connection string of this client, for any driver, pool or ORM. */
  readonly url: string;
  /** The URL of the scenario's service, if it has one. */
  readonly service: string | undefined;
  /** Aborted when Heddle abandons the execution, such as after a step that took too long. */
  readonly signal: AbortSignal;
}

/**
 * One concurrent client: opens connections, does its work, and closes them. The value that it returns is
 * its answer. An error that it throws is an answer too, with the error's SQLSTATE, code or name as code.
 */
export type ClientFunction = (context: ClientContext) => unknown;

/**
 * A program in any language, started in the folder of the scenario file. The environment variables
 * `DATABASE_URL`, `JDBC_DATABASE_URL` and, for libpq, `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and `PGDATABASE`
 * lead to its database. Its standard output is its answer. The code of an exit with 1 is `EXIT_1`.
 *
 * A client's program is started before its turn, and its first connection is held until then; unless the scenario has
 * a service, which the program may ask for something first.
 */
export interface Program {
  /** The program and its arguments: `["psql", "-f", "a.sql"]`. */
  readonly exec: readonly [string, ...string[]];
  /** Further environment variables. */
  readonly env?: { readonly [name: string]: string };
}

/** See `BodyType`. */
export const BODY_TYPES = ["json", "form", "multipart", "text"] as const;

/**
 * How a request sends its body: as JSON; as the fields of a form (`application/x-www-form-urlencoded`, or
 * `multipart/form-data`); or as text.
 */
export type BodyType = (typeof BODY_TYPES)[number];

/**
 * A part of a setup: SQL; the path of an SQL file beside the definition, or a pattern such as
 * `migrations/*.sql`, whose files are executed in the order of their names; a program, which gets
 * `DATABASE_URL`; or a function.
 */
export type SetupStep = string | Program | ((context: { readonly url: string }) => unknown);

/**
 * A request to the scenario's service. The code of its answer is the HTTP status. A status of 500 or more
 * is a violation, unless `errors` contains it.
 */
export interface HttpClient {
  readonly http: {
    /** Default: `POST` with a body, else `GET`. */
    readonly method?: string;
    /** Such as `/bookings/1`. */
    readonly path: string;
    readonly headers?: { readonly [name: string]: string };
    readonly body?: Json;
    /** How the body is sent. Default: `"json"`. */
    readonly type?: BodyType;
  };
}

/** One concurrent client: a function, a program or an HTTP request. */
export type ClientDefinition = ClientFunction | Program | HttpClient;

/** A service that is running at `url` and connects to its database on port `databasePort` of 127.0.0.1. */
export interface RunningService {
  /** The URL at which the service takes requests. */
  readonly url: string;
  /**
   * Heddle listens on this port while it runs. The connection string of the service may name any user
   * and database.
   */
  readonly databasePort: number;
  /**
   * The password in the connection string of the service. Every user of the machine can reach the port,
   * so without it no connection is let in.
   */
  readonly databasePassword?: string;
}

/**
 * A program that Heddle starts once, with `DATABASE_URL` and with the `PORT` of 127.0.0.1 on which it must
 * listen; or a service that is running already.
 */
export type HttpService = Program | RunningService;

/**
 * The answer of a client: a value (and the status, if it is an HTTP request), or the code and message of
 * an error.
 */
export type Outcome =
  | { readonly value: Json; readonly status?: number }
  | { readonly error: string; readonly message: string };

/** The argument of an invariant function, which is called after all clients are done. */
export interface InvariantContext {
  /** Reads committed state. */
  readonly query: ClientQuery;
  /** By client name: the answer of each client that has one. */
  readonly outcomes: { readonly [client: string]: Outcome };
}

/**
 * SQL that must return no rows; or a function that returns the rows that break the invariant (an empty
 * list or nothing if it holds), or fails an assertion.
 */
export type InvariantDefinition =
  | string
  | ((context: InvariantContext) => unknown | Promise<unknown>);

/**
 * An error with which a client may end. A text is a code (the SQLSTATE `40001`, the HTTP status `503`, the exit
 * `EXIT_1`), the name of PostgreSQL's condition (`serialization_failure`), the name of an error's class (`SoldOut`),
 * or a whole message, or line of it. A pattern is found in the message: of a program in its standard error, of a request in the
 * body of the answer.
 */
export type ExpectedError = string | RegExp;

/**
 * A scenario in which clients may race: what a scenario file exports, and `heddle run` explores. See
 * `defineScenario`.
 */
export interface ScenarioDefinition {
  /** What creates tables and rows in an empty database, past every gate. */
  readonly setup: SetupStep | readonly SetupStep[];
  /** The concurrent clients by name. */
  readonly clients: { readonly [name: string]: ClientDefinition };
  /**
   * The isolation level of transactions that do not set one, such as `"repeatable read"`. The option
   * `--isolation` comes first. Default: `"read committed"`.
   */
  readonly isolation?: IsolationName;
  /** The service that clients with `http` send requests to. */
  readonly service?: HttpService;
  /** By name: what must hold when all clients are done. Default: none. */
  readonly invariants?: { readonly [name: string]: InvariantDefinition };
  /**
   * The errors with which clients may end: codes (`40001`), names (`serialization_failure`, `SoldOut`), whole
   * messages (`sold out`) and patterns of messages (`/sold out/`). Default: none.
   */
  readonly errors?: readonly ExpectedError[];
  /**
   * Whether answers and rows must equal those of some order in which the clients run one after the
   * other. `ids` names the columns with generated ids, by table (or, for answers, by client): these ids
   * may differ in their order. Default: false.
   */
  readonly serialEquivalence?: boolean | { readonly ids: IdFields };
  /**
   * Freezes the clock, and seeds random numbers for each execution: `Date`, `performance.now`, `Math.random` and
   * `node:crypto` of the setup and the clients in this process, and of programs and a service on Node. A text is
   * the time in ISO 8601; `true`: the time of the run. Timers keep the real time. Default: neither.
   */
  readonly freeze?: true | string;
  /** Restores the state after the setup, before each execution. Default: Heddle restores it. */
  readonly reset?:
    | string
    | ((context: { readonly url: string; readonly query: ClientQuery }) => unknown);
}

/**
 * Returns the definition, with its type checked.
 *
 * ```ts
 * // race.ts: npx heddle run race.ts
 * import { type ClientContext, defineScenario } from "heddle";
 * import pg from "pg";
 *
 * async function increment({ url }: ClientContext) {
 *   const db = new pg.Client(url);
 *   await db.connect();
 *   const { rows } = await db.query("select value from counter");
 *   await db.query("update counter set value = $1", [rows[0].value + 1]);
 *   await db.end();
 * }
 *
 * export default defineScenario({
 *   setup: "create table counter (value int); insert into counter values (0)",
 *   clients: { ada: increment, bob: increment },
 *   invariants: { "no increment is lost": "select * from counter where value <> 2" },
 * });
 * ```
 */
export function defineScenario(definition: ScenarioDefinition): ScenarioDefinition {
  return definition;
}

/** The members of each object in a scenario file. The types name them too, so none can be missing here. */
const MEMBERS = {
  scenario: keysOf<ScenarioDefinition>({
    setup: true,
    clients: true,
    isolation: true,
    service: true,
    invariants: true,
    errors: true,
    serialEquivalence: true,
    reset: true,
    freeze: true,
  }),
  program: keysOf<Program>({ exec: true, env: true }),
  httpClient: keysOf<HttpClient>({ http: true }),
  request: keysOf<HttpClient["http"]>({
    method: true,
    path: true,
    headers: true,
    body: true,
    type: true,
  }),
  running: keysOf<RunningService>({ url: true, databasePort: true, databasePassword: true }),
  serialEquivalence: ["ids"],
};

export function isScenario(value: unknown): value is ScenarioDefinition {
  return scenarioProblem(value) === undefined;
}

/** Why a value is not a scenario definition; undefined if it is one. */
export function scenarioProblem(value: unknown): string | undefined {
  if (!isRecord(value)) return "it has no `export default defineScenario({ … })`";
  const unknown = unknownKey(value, MEMBERS.scenario);
  if (unknown !== undefined) return unknown;
  const { setup, clients, invariants = {}, errors = [], reset = "", service, isolation } = value;
  const problemOfSetup = setupProblem(setup);
  if (problemOfSetup !== undefined) return problemOfSetup;
  if (!isRecord(clients)) return "`clients` is not an object of clients by name";
  const names = Object.keys(clients);
  if (names.length === 0) return "`clients` is empty: a race needs two clients";
  for (const name of names) {
    const problem = clientProblem(clients[name]);
    if (problem !== undefined) return `the client "${name}" ${problem}`;
  }
  if (isolation !== undefined && !(isText(isolation) && isolationNamed(isolation))) {
    return `\`isolation\` is none of ${ISOLATIONS.map((level) => `"${level}"`).join(", ")}`;
  }
  if (service !== undefined) {
    const problem = serviceProblem(service);
    if (problem !== undefined) return `\`service\` ${problem}`;
  }
  const { serialEquivalence } = value;
  if (isRecord(serialEquivalence)) {
    const problem = unknownMember(serialEquivalence, MEMBERS.serialEquivalence);
    if (problem !== undefined) return `\`serialEquivalence\` ${problem}`;
  }
  if (!isRecord(invariants)) return "`invariants` is not an object of SQL or functions by name";
  const invalidInvariant = Object.entries(invariants).find(
    ([, it]) => !isText(it) && !isFunction(it),
  );
  if (invalidInvariant !== undefined)
    return `the invariant "${invalidInvariant[0]}" is neither SQL nor a function`;
  const errorsProblem = expectedErrorsProblem(errors);
  if (errorsProblem !== undefined) return errorsProblem;
  const { freeze = true } = value;
  if (freeze !== true && !(isText(freeze) && !Number.isNaN(Date.parse(freeze))))
    return "`freeze` is neither true nor a time such as 2030-01-31T09:00:00Z";
  if (!isText(reset) && !isFunction(reset)) return "`reset` is neither SQL nor a function";
  return undefined;
}

/** Why a value is no list of expected errors; undefined if it is one. */
export function expectedErrorsProblem(value: unknown): string | undefined {
  const isList =
    Array.isArray(value) && value.every((error) => isText(error) || error instanceof RegExp);
  return isList ? undefined : "`errors` is not a list of codes, names, messages and patterns";
}

/** Why a value is no setup; undefined if it is one. */
export function setupProblem(value: unknown): string | undefined {
  for (const step of Array.isArray(value) ? value : [value]) {
    if (isText(step) || isFunction(step)) continue;
    if (!isProgram(step))
      return "`setup` is neither SQL, nor the path of an SQL file, a program or a function, nor a list of these";
    const unknown = unknownMember(step, MEMBERS.program);
    if (unknown !== undefined) return `\`setup\` has a program that ${unknown}`;
  }
  return undefined;
}

function clientProblem(value: unknown): string | undefined {
  if (isFunction(value)) return undefined;
  if (isProgram(value)) return unknownMember(value, MEMBERS.program);
  if (isRecord(value) && isRecord(value["http"]) && isText(value["http"]["path"])) {
    const { type = "json" } = value["http"];
    if (!BODY_TYPES.some((one) => one === type)) {
      return `has a \`type\` that is none of ${BODY_TYPES.join(", ")}`;
    }
    return (
      unknownMember(value, MEMBERS.httpClient) ?? unknownMember(value["http"], MEMBERS.request)
    );
  }
  return "is not a function, and has neither `exec` nor `http`";
}

/** Why a value is not an HTTP service; undefined if it is one. */
export function serviceProblem(value: unknown): string | undefined {
  if (isProgram(value)) return unknownMember(value, MEMBERS.program);
  if (isRunning(value)) return unknownMember(value, MEMBERS.running);
  return "has neither `exec`, nor `url` and `databasePort`";
}

function isRunning(value: unknown): value is { readonly [name: string]: unknown } {
  if (!isRecord(value)) return false;
  const { url, databasePort, databasePassword = "" } = value;
  return isText(url) && Number.isInteger(databasePort) && isText(databasePassword);
}
