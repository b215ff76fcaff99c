import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import { type Duplex, pipeline } from "node:stream";
import { HarnessError } from "../core/error.ts";
import { dialer } from "./dialer.ts";
import { handshake } from "./handshake.ts";

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
}

/** Is called with each connection, whose stream begins with its startup packet. */
type Accept = (service: Duplex, socket: Socket) => void;

/** Listens on a Unix socket in `folder`, which becomes private to this user; on Windows on loopback. */
export async function socketEndpoint(
  serverUrl: string,
  folder: string,
  accept: Accept,
): Promise<Endpoint> {
  if (process.platform === "win32") return portEndpoint(serverUrl, accept);
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
 * Listens on a port of this machine, for drivers without Unix sockets. Every user of the machine could
 * connect to it, so the endpoint asks for a password where the server itself does not.
 */
export async function portEndpoint(serverUrl: string, accept: Accept): Promise<Endpoint> {
  const url = withoutAddress(serverUrl);
  const { PGPASSWORD: given = "" } = process.env;
  if (url.password === "" && given !== process.env[OWN_PASSWORD]) url.password = given;
  const password = url.password === "" ? ownPassword() : undefined;
  const listener = await listening(0, accept, (socket) => handshake(socket, { password }));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the endpoint has no port");
  url.host = `127.0.0.1:${address.port}`;
  if (password !== undefined) url.password = password;
  return { url: url.toString(), listener };
}

/** A port that leads to the server past every gate, until it is closed. */
export interface DirectPort {
  readonly url: string;
  close(): void;
}

/** Listens on a port of this machine, and passes on each connection to the server as it is. */
export async function openDirectPort(serverUrl: string): Promise<DirectPort> {
  const dial = dialer(serverUrl);
  const sockets = new Set<Duplex>();
  const { url, listener } = await portEndpoint(serverUrl, (client, socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
    dial().then(
      // An end that fails ends the other one: the one that is left learns of it by that.
      (server) => pipeline(client, server, client, () => socket.destroy()),
      () => socket.destroy(),
    );
  });
  listener.unref();
  const close = () => {
    listener.close();
    for (const socket of sockets) socket.destroy();
  };
  return { url, close };
}

/**
 * Listens on a given port of this machine, for a service that runs already and is configured with
 * another user and database: each connection gets those of the URL. Throws HarnessError `USAGE` when the
 * port is taken.
 */
export async function redirectingEndpoint(
  serverUrl: string,
  port: number,
  accept: Accept,
): Promise<Endpoint> {
  const { username, pathname } = new URL(serverUrl);
  const user = decodeURIComponent(username) || userInfo().username;
  const database = decodeURIComponent(pathname.slice(1));
  try {
    const listener = await listening(port, accept, (socket) =>
      handshake(socket, { identity: { user, database } }),
    );
    return { url: `postgres://127.0.0.1:${port}`, listener };
  } catch (cause) {
    throw new HarnessError("USAGE", `the port ${port} cannot be listened on: ${String(cause)}`, {
      cause,
    });
  }
}

/** The environment variable with the password of all ports, for processes that this one starts. */
const OWN_PASSWORD = "HEDDLE_PORT_PASSWORD";

/**
 * The password of all ports of this process. Drivers take it from PGPASSWORD where code gives them the
 * URL's host and port alone.
 */
function ownPassword(): string {
  const password = process.env[OWN_PASSWORD] ?? randomBytes(16).toString("hex");
  process.env[OWN_PASSWORD] = password;
  process.env["PGPASSWORD"] ??= password;
  return password;
}

async function listening(
  port: number,
  accept: Accept,
  enter: (socket: Socket) => Promise<Duplex>,
): Promise<Server> {
  const listener = createServer({ noDelay: true }, (socket) => {
    enter(socket).then(
      (service) => accept(service, socket),
      () => socket.destroy(),
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
