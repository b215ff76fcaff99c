import pg from "pg";
import { HarnessError } from "../core/error.ts";

const CONNECT_TIMEOUT_MS = 5000;

/** `pg` can let a process end although a connection is open; its types do not say so. */
export type Connection = pg.Client & { ref(): void; unref(): void };

/**
 * Connects to a server.
 * @throws HarnessError PROVIDER_FAILED that names the server, without its password, and says what
 * to do.
 */
export async function connect(url: string, timeoutMs = CONNECT_TIMEOUT_MS): Promise<Connection> {
  const client = new pg.Client({
    connectionString: normalUrl(url).href,
    connectionTimeoutMillis: timeoutMs,
    application_name: "heddle",
    keepAlive: true,
  }) as Connection;
  // Without a listener, a connection that is lost while idle would end this process.
  client.on("error", () => {});
  try {
    await client.connect();
    return client;
  } catch (cause) {
    await client.end().catch(() => {});
    throw new HarnessError("PROVIDER_FAILED", explain(cause, client), { cause });
  }
}

/** `url` with another database. */
export function withDatabase(url: string, database: string): string {
  const other = normalUrl(url);
  other.pathname = `/${encodeURIComponent(database)}`;
  return other.href;
}

/** The server that a URL leads to, without its password. */
export function addressOf(url: string): string {
  return nameOf(new pg.Client({ connectionString: normalUrl(url).href }));
}

function nameOf({ user, host, port }: pg.Client): string {
  return `${user ? `${user}@` : ""}${host}${host.startsWith("/") ? "" : `:${port}`}`;
}

/** `postgres://user@/db?host=/folder` is a connection string, but no URL. */
function normalUrl(url: string): URL {
  const normal = URL.parse(url) ?? URL.parse(url.replace("@/", "@localhost/"));
  if (normal !== null) return normal;
  throw new HarnessError(
    "USAGE",
    "The Postgres URL cannot be read: give one of the form postgres://user:password@host:5432/database, with special characters percent-encoded.",
  );
}

/** Codes of the system's, and SQLSTATEs. */
const ADVICE: { readonly [code: string]: string } = {
  ENOTFOUND: "there is no host of that name: check the URL's host",
  EAI_AGAIN: "the host's name could not be looked up: check the URL's host and the network",
  ECONNREFUSED: "nothing listens there: start the server, or check the URL's host and port",
  ENOENT: "there is no such socket: start the server, or check the URL's host and port",
  EACCES: "its socket may not be used by this user: run as a user who may, or connect over TCP",
  EHOSTUNREACH: "the network does not reach the host: check the URL's host and the network",
  ENETUNREACH: "the network does not reach the host: check the URL's host and the network",
  "28P01": "the user or the password is wrong: correct the URL",
  "28000": "the server does not let this user in from here: check the URL's user, and pg_hba.conf",
  "3D000": "the database to connect to does not exist: name one in the URL, such as /postgres",
  "53300": "it has no connection left: close some, or raise its max_connections",
  "57P03": "it is starting up or shutting down: try again when it is ready",
};

function explain(cause: unknown, client: pg.Client): string {
  const { code, message } = cause as { code?: string; message?: string };
  return `Cannot connect to Postgres at ${nameOf(client)}: ${advice(code ?? "", message ?? "")}.`;
}

function advice(code: string, message: string): string {
  const said = message.replace(/\.$/, "");
  if (said === "timeout expired") {
    return "no Postgres answered in time: check the URL's host and port, and firewalls";
  }
  if (said === "Connection terminated unexpectedly") {
    return "what listens there hung up: check that it is a Postgres, and that it lets you in";
  }
  if (said.includes("password must be a string")) {
    return "it asks for a password: put one into the URL, or set PGPASSWORD";
  }
  const known = ADVICE[code];
  return known === undefined ? said || code : `${known}${said && ` (${said})`}`;
}
