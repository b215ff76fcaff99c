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
  /** Connection string: that of the server, with another address. */
  readonly url: string;
  readonly listener: Server;
}

/** Whose connections come to an address, as far as that is known. */
export interface ConnectionOrigin {
  /** Undefined: whoever is running. */
  readonly client?: number;
  /** They are of the service, which is a process of its own. */
  readonly service?: boolean;
}

/** Is given each connection, from its startup packet on. */
type Accept = (service: Duplex, socket: Socket) => void;

/** On a Unix socket in `folder`, which becomes private to this user; on Windows on loopback. */
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
 * On a port of this machine, for drivers that know no sockets. Anybody here could connect to it; so
 * where the server itself asks for no password, the endpoint does.
 */
export async function portEndpoint(serverUrl: string, accept: Accept): Promise<Endpoint> {
  const url = withoutAddress(serverUrl);
  if (url.password === "") url.password = process.env["PGPASSWORD"] ?? "";
  const password = url.password === "" ? randomBytes(16).toString("hex") : undefined;
  const listener = await listening(0, accept, (socket) => handshake(socket, { password }));
  const address = listener.address();
  if (address === null || typeof address === "string") throw new Error("it listens on no port");
  url.host = `127.0.0.1:${address.port}`;
  if (password !== undefined) url.password = password;
  return { url: url.toString(), listener };
}

/**
 * On a given port of this machine, for a service that runs already and knows the server by another
 * user and database: whoever comes is led to those of the URL. Throws HarnessError `USAGE` when the
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
    throw new HarnessError("USAGE", `nobody can listen on the port ${port}: ${String(cause)}`, {
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
