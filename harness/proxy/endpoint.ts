import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { userInfo } from "node:os";
import { join } from "node:path";
import type { Duplex } from "node:stream";
import { HarnessError } from "../core/error.ts";
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
  if (url.password === "") url.password = process.env["PGPASSWORD"] ?? "";
  const password = url.password === "" ? randomBytes(16).toString("hex") : undefined;
  const listener = await listening(0, accept, (socket) => handshake(socket, { password }));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("the endpoint has no port");
  url.host = `127.0.0.1:${address.port}`;
  if (password !== undefined) url.password = password;
  return { url: url.toString(), listener };
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
