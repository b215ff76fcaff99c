import pg from "pg";
import { connectionLost, HarnessError, TOO_MANY_CONNECTIONS } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";

const CONNECT_TIMEOUT_MS = 5000;

/**
 * Connects without settings of Heddle's own, through gates or not. A connection that ends is no
 * unhandled error: its next query fails with the reason.
 *
 * @throws HarnessError `PROVIDER_FAILED` where the server has no free connection; else the error of `pg`
 */
export async function openClient(url: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect().catch((error: Error & { readonly code?: string }) => {
    throw error.code === TOO_MANY_CONNECTIONS ? connectionLost(error.message, error.code) : error;
  });
  return client;
}

/** The rows of a query. A text may have several statements, and then they are the rows of all. */
export async function rowsOf(
  client: pg.ClientBase,
  query: string | pg.QueryConfig,
  values: readonly unknown[] = [],
): Promise<JsonObject[]> {
  // The types of `pg` leave out the list of results that several statements have.
  const result: pg.QueryResult<JsonObject> | pg.QueryResult<JsonObject>[] = await client.query(
    query,
    [...values],
  );
  return [result].flat().flatMap(({ rows }) => rows);
}

/** Connects, calls `use`, and closes the connection. */
export async function withClient<T>(
  url: string,
  use: (client: pg.Client) => Promise<T>,
): Promise<T> {
  const client = await openClient(url);
  try {
    return await use(client);
  } finally {
    await client.end();
  }
}

/**
 * Opens a connection of the harness's own that bypasses the proxy. If the connection is lost while
 * idle, the next query on it fails with the reason.
 *
 * @param name the session's `application_name`
 * @throws HarnessError CONNECTION_LOST when the server cannot be reached.
 */
export async function controlConnection(directUrl: string, name: string): Promise<pg.Client> {
  const client = new pg.Client({ connectionString: directUrl, application_name: name });
  // Without a listener, losing the connection would end this process.
  client.on("error", () => {});
  await client.connect().catch((error: Error & { readonly code?: string }) => {
    throw connectionLost(error.message, error.code);
  });
  return client;
}

/** `pg` has `ref` and `unref`, which decide whether an open connection keeps the process alive; its types lack them. */
export type Connection = pg.Client & { ref(): void; unref(): void };

/**
 * Connects to a server.
 * @param timeoutMs default: 5,000.
 * @throws HarnessError PROVIDER_FAILED that names the server without its password and says what to do;
 * USAGE when the URL cannot be parsed.
 */
export async function connect(url: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Connection> {
  const client = new pg.Client({
    connectionString: normalUrl(url).href,
    connectionTimeoutMillis: timeoutMs,
    application_name: "heddle",
    keepAlive: true,
  }) as Connection;
  // Without a listener, the loss of an idle connection would end this process.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (cause) {
    await client.end().catch(() => {});
    throw new HarnessError("PROVIDER_FAILED", explain(cause, client), { cause });
  }
}

/**
 * The URL with the password that logs in there, which may be that of `PGPASSWORD` or of a password file:
 * the URL stays valid when the environment changes. Errors are those of `connect`.
 */
export async function withPassword(url: string): Promise<string> {
  const client = await connect(url);
  const full = normalUrl(url);
  if (full.password === "") full.password = encodeURIComponent(client.password ?? "");
  await client.end();
  return full.href;
}

/** The URL with another database. */
export function withDatabase(url: string, database: string): string {
  const other = normalUrl(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

/** The user, host and port of a URL, without the password. */
export function addressOf(url: string): string {
  return nameOf(new pg.Client({ connectionString: normalUrl(url).href }));
}

function nameOf({ user, host, port }: pg.Client): string {
  return `${user ? `${user}@` : ""}${host}${host.startsWith("/") ? "" : `:${port}`}`;
}

/** Parses a connection string. libpq accepts `postgres://user@/db?host=/folder`, which is not a valid URL. */
function normalUrl(url: string): URL {
  const normal = URL.parse(url) ?? URL.parse(url.replace("@/", "@localhost/"));
  if (normal !== null) return normal;
  throw new HarnessError(
    "USAGE",
    "The Postgres URL cannot be parsed: give one of the form postgres://user:password@host:5432/database, with special characters percent-encoded.",
  );
}

/** What to do, by the code of the operating system or SQLSTATE. */
const ADVICE: { readonly [code: string]: string } = {
  ENOTFOUND: "there is no host of that name: check the URL's host",
  EAI_AGAIN: "the host's name could not be looked up: check the URL's host and the network",
  ECONNREFUSED: "nothing listens there: start the server, or check the URL's host and port",
  ENOENT: "there is no such socket: start the server, or check the URL's host and port",
  EACCES: "this user may not use its socket: run as a user who may, or connect over TCP",
  EHOSTUNREACH: "the network does not reach the host: check the URL's host and the network",
  ENETUNREACH: "the network does not reach the host: check the URL's host and the network",
  "28P01": "the user or the password is wrong: correct the URL",
  "28000": "the server does not let this user in from here: check the URL's user, and pg_hba.conf",
  "3D000": "the database to connect to does not exist: name one in the URL, such as /postgres",
  "53300": "it has no free connection: close some, or raise its max_connections",
  "57P03": "it is starting up or shutting down: try again when it is ready",
};

function explain(cause: unknown, client: pg.Client): string {
  const { code, message } = cause as { code?: string; message?: string };
  return `Cannot connect to Postgres at ${nameOf(client)}: ${advice(code ?? "", message ?? "")}.`;
}

function advice(code: string, message: string): string {
  const text = message.replace(/\.$/, "");
  if (text === "timeout expired") {
    return "no Postgres answered in time: check the URL's host and port, and firewalls";
  }
  if (text === "Connection terminated unexpectedly") {
    return "the server closed the connection: check that it is a Postgres, and that it lets this client in";
  }
  if (text.includes("password must be a string")) {
    return "it requires a password: add one to the URL, or set PGPASSWORD";
  }
  const advice = ADVICE[code];
  return advice === undefined ? text || code : `${advice}${text && ` (${text})`}`;
}

const LOCK = "select pg_advisory_lock_shared($1)";

/**
 * A connection that creates and drops the databases of a server. Queries are executed one after the
 * other; a lost connection is opened again. It keeps this process alive only while a query runs.
 */
export class AdminConnection {
  readonly url: string;
  readonly #locks = new Set<bigint>();
  #client: Connection | undefined;
  #last: Promise<unknown> = Promise.resolve();
  #closed = false;

  constructor(url: string) {
    this.url = url;
  }

  query<Row extends pg.QueryResultRow>(text: string, values: unknown[] = []): Promise<Row[]> {
    return this.#enqueue(async (client) => (await client.query<Row>(text, values)).rows);
  }

  /** The version of the server, such as `18.4`, without the suffix of a distribution. */
  async version(): Promise<string> {
    const rows = await this.query<{ server_version: string }>("show server_version");
    return rows[0]?.server_version.split(" ")[0] ?? "unknown";
  }

  /**
   * Holds a shared advisory lock, also after reconnections, until `unlock` or `close`. The lock is shared
   * because the server may still hold it for the last connection, whose loss it has not noticed.
   */
  async lock(key: bigint): Promise<void> {
    this.#locks.add(key);
    await this.query(LOCK, [String(key)]);
  }

  async unlock(key: bigint): Promise<void> {
    this.#locks.delete(key);
    await this.query("select pg_advisory_unlock_shared($1)", [String(key)]);
  }

  async close(): Promise<void> {
    await this.#last;
    this.#closed = true;
    this.#client?.ref();
    await this.#client?.end().catch(() => {});
  }

  #enqueue<T>(use: (client: Connection) => Promise<T>): Promise<T> {
    const result = this.#last.then(async () => {
      const client = await this.#connected();
      client.ref();
      try {
        return await use(client);
      } finally {
        client.unref();
      }
    });
    this.#last = result.catch(() => {});
    return result;
  }

  async #connected(): Promise<Connection> {
    if (this.#client !== undefined) return this.#client;
    if (this.#closed) throw new HarnessError("USAGE", "The server was stopped: start another one.");
    const client = await connect(this.url);
    this.#client = client;
    client.once("end", () => {
      this.#client = undefined;
      // At once: without the locks, another process regards the databases as abandoned.
      if (!this.#closed && this.#locks.size > 0) this.#enqueue(async () => {}).catch(() => {});
    });
    await client.query(
      `select set_config(name, '0', false) from pg_settings
       where name in ('statement_timeout', 'lock_timeout', 'idle_session_timeout')`,
    );
    for (const key of this.#locks) {
      await client.query(LOCK, [String(key)]);
    }
    return client;
  }
}
