import type { IdFields } from "../core/ids.ts";
import type { Json, JsonObject } from "../core/json.ts";

/** Runs one statement past the gate, and resolves with its rows. */
export type ClientQuery = (sql: string, values?: readonly unknown[]) => Promise<JsonObject[]>;

/** What a client is given. */
export interface ClientContext {
  /** Connection string of this client alone; for any driver, pool or ORM. */
  readonly url: string;
  /** Where the scenario's service answers, if it has one. */
  readonly service: string | undefined;
  /** Aborted when the execution is given up. */
  readonly signal: AbortSignal;
}

/**
 * One concurrent client: opens its own connections, does its work, and closes them. What it returns
 * is its answer. If it throws, it was refused, with the error's SQLSTATE, code or name.
 */
export type ClientFunction = (context: ClientContext) => unknown;

/**
 * A program, in any language, that is started in the scenario file's folder. The environment tells it
 * where its database is: `DATABASE_URL`, and `PGHOST`, `PGPORT`, `PGUSER`, `PGPASSWORD` and
 * `PGDATABASE` for libpq. What it prints is its answer; `EXIT_1` is how an exit code of 1 is called.
 */
export interface Program {
  /** The program and its arguments: `["psql", "-f", "a.sql"]`. */
  readonly exec: readonly [string, ...string[]];
  readonly env?: { readonly [name: string]: string };
}

/** A request to the scenario's service. The status is its code: any but those from 500 on may be. */
export interface HttpClient {
  readonly http: {
    /** `GET`, or `POST` where there is a body. */
    readonly method?: string;
    readonly path: string;
    readonly headers?: { readonly [name: string]: string };
    /** Sent as JSON. */
    readonly body?: Json;
  };
}

export type ClientDefinition = ClientFunction | Program | HttpClient;

/** A service that runs already, at `url`, and has its database at the port `databasePort` here. */
export interface RunningService {
  readonly url: string;
  /**
   * Heddle listens there as long as it runs. The user and the database of the service's own
   * connection string may be any; a password is what the server of the run asks for, if it does.
   */
  readonly databasePort: number;
}

/**
 * A service that Heddle starts once, with `DATABASE_URL` set, and `PORT` to the port of 127.0.0.1 on
 * which it has to listen; or one that runs already.
 */
export type ServiceDefinition = Program | RunningService;

/**
 * How a client ended: with a value (and, of an HTTP request, the status), or with an error's code and
 * message.
 */
export type Outcome =
  | { readonly value: Json; readonly status?: number }
  | { readonly error: string; readonly message: string };

/** What an invariant that is a function is given, after all clients are done. */
export interface InvariantContext {
  readonly query: ClientQuery;
  /** How each client ended that has ended, by name. */
  readonly outcomes: { readonly [client: string]: Outcome };
}

/**
 * SQL that must return no rows; or a function that returns the rows that break the invariant (none,
 * or nothing at all, when it holds), or fails an assertion.
 */
export type InvariantDefinition =
  | string
  | ((context: InvariantContext) => unknown | Promise<unknown>);

/** A race to look for: `export default defineScenario({ … })`. */
export interface ScenarioDefinition {
  /** SQL, or a function; is given an empty database, past the gate. */
  readonly setup: string | ((context: { readonly url: string }) => unknown);
  /** By name. */
  readonly clients: { readonly [name: string]: ClientDefinition };
  readonly service?: ServiceDefinition;
  /** By name; what has to hold when all clients are done. */
  readonly invariants?: { readonly [name: string]: InvariantDefinition };
  /** Codes of the errors with which clients may end, such as `40001`. By default none. */
  readonly errors?: readonly string[];
  /**
   * Whether answers and rows have to be those of some order in which the clients run one after the
   * other. `ids` says where ids stand that the database generates, by table (or client, for answers)
   * and column: those may come in another order.
   */
  readonly serialEquivalence?: boolean | { readonly ids: IdFields };
  /** Puts the database back as it was after the setup; by default Heddle does it. */
  readonly reset?:
    | string
    | ((context: { readonly url: string; readonly query: ClientQuery }) => unknown);
}

/** A scenario, with its types checked. What it leaves open is checked by the contract alone. */
export function defineScenario(definition: ScenarioDefinition): ScenarioDefinition {
  return definition;
}
