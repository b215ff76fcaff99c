import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { HarnessError } from "../core/error.ts";
import { handshake, type PortAccess } from "./handshake.ts";
import type { Login } from "./login.ts";
import { PORT_PASSWORD } from "./port-password.ts";

/** The port that names a socket's file; nothing listens on it as a port. */
const SOCKET_PORT = 5432;

/** An address at which a proxy listens. */
export interface Endpoint {
  /** The server's connection string with another address. */
  readonly url: string;
  readonly listener: Server;
}

/** What the endpoint that accepted a connection determines about it. */
export interface ConnectionOrigin {
  /** The client that all connections of the endpoint belong to, if it is that of one client. */
  readonly client?: number;
  /** Whether it is the endpoint of a service that is a process of its own. */
  readonly service?: boolean;
  /**
   * Whether another client has used one of its connections, as clients do that share a pool: from then on they
   * belong to none alone. Default: false.
   */
  shared?: boolean;
}

/**
 * Is called with each connection, whose stream begins with its startup packet; through a port, with the
 * login for the server.
 */
type Accept = (service: Duplex, socket: Socket, login?: Login) => void;

/** Where the ports of a proxy lead. */
export interface PortTarget {
  /** The server's connection string for the role of the sessions. */
  readonly url: string;
  /** Roles that the ports never lead to. */
  readonly refused: readonly string[];
}

/** Listens on a Unix socket in `folder`, which becomes private to this user; on Windows on loopback. */
export async function socketEndpoint(
  serverUrl: string,
  folder: string,
  accept: Accept,
): Promise<Endpoint> {
  if (process.platform === "win32") return portEndpoint({ url: serverUrl, refused: [] }, accept);
  const listener = createServer({ noDelay: true }, (socket) => accept(socket, socket));
  await chmod(folder, 0o700);
  listener.listen({ path: join(folder, `.s.PGSQL.${SOCKET_PORT}`) });
  await once(listener, "listening");
  const url = withoutAddress(serverUrl);
  url.searchParams.set("host", folder);
  url.searchParams.set("port", String(SOCKET_PORT));
  return { url: url.toString(), listener };
}

/**
 * Listens as `portEndpoint` does, but connections wait until `open` is called: none is answered a byte before. `close` lets
 * in no other, and ends those that wait.
 */
export async function heldEndpoint(target: PortTarget, accept: Accept) {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  const { url, listener } = await portEndpoint(target, accept, opened);
  const waiting = new Set<Socket>();
  let since: number | undefined;
  listener.on("connection", (socket) => {
    socket.on("error", () => {}); // Whoever reads it next learns of it.
    since ??= performance.now();
    waiting.add(socket);
    socket.once("close", () => waiting.delete(socket));
  });
  return {
    url,
    get waitedMs() {
      return since === undefined ? 0 : performance.now() - since;
    },
    open() {
      waiting.clear();
      open();
    },
    close() {
      listener.close();
      for (const socket of waiting) socket.destroy();
    },
  };
}

/**
 * Listens on a port of this machine, for drivers without Unix sockets. Every user of the machine could
 * connect to it, so the endpoint asks for the password of all ports of this process, and logs in to the server itself.
 *
 * @param opened connections wait for this. Default: they do not wait.
 */
export async function portEndpoint(
  target: PortTarget,
  accept: Accept,
  opened?: Promise<void>,
): Promise<Endpoint> {
  const url = withoutAddress(target.url);
  // Some libraries know the shorter name of the scheme no more (SQLAlchemy), all know this one.
  url.protocol = "postgresql:";
  const role = roleOf(target.url);
  const access = {
    ...{ password: PORT_PASSWORD, role, refused: target.refused },
    passwordIs: "that of the URL which was given for this run",
  };
  const listener = await listening(0, accept, access, opened);
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the endpoint has no port");
  url.host = `127.0.0.1:${address.port}`;
  url.username = encodeURIComponent(role.user);
  url.password = PORT_PASSWORD;
  return { url: url.toString(), listener };
}

/**
 * Listens on a given port of this machine, for a service that runs already and is configured with
 * another user and database: each connection gets those of the URL. Throws HarnessError `USAGE` when the
 * port is taken.
 *
 * @param password what the service gives as its password; undefined: no connection is let in
 */
export async function redirectingEndpoint(
  target: PortTarget,
  port: number,
  password: string | undefined,
  accept: Accept,
): Promise<Endpoint> {
  const role = roleOf(target.url);
  const database = decodeURIComponent(new URL(target.url).pathname.slice(1));
  try {
    const listener = await listening(port, accept, {
      ...{ role, refused: [], identity: { user: role.user, database } },
      password: password ?? randomBytes(16).toString("hex"),
      passwordIs: "the `databasePassword` of the scenario's service",
    });
    return { url: `postgres://127.0.0.1:${port}`, listener };
  } catch (cause) {
    throw new HarnessError("USAGE", `the port ${port} cannot be listened on: ${String(cause)}`, {
      cause,
    });
  }
}

function roleOf(url: string): PortAccess["role"] {
  const { username, password } = new URL(url);
  return {
    user: decodeURIComponent(username) || userInfo().username,
    password: decodeURIComponent(password),
  };
}

async function listening(
  port: number,
  accept: Accept,
  access: PortAccess,
  opened?: Promise<void>,
): Promise<Server> {
  const listener = createServer({ noDelay: true }, (socket) => {
    const enter = () => handshake(socket, access);
    (opened === undefined ? enter() : opened.then(enter)).then(
      ({ stream, login }) => accept(stream, socket, login),
      () => socket.destroySoon(),
    );
  });
  listener.listen({ host: "127.0.0.1", port });
  await once(listener, "listening");
  return listener;
}

function withoutAddress(serverUrl: string): URL {
  const url = new URL(serverUrl);
  for (const name of [...url.searchParams.keys()]) {
    if (name.startsWith("ssl") || name === "host" || name === "port") url.searchParams.delete(name);
  }
  return url;
}
