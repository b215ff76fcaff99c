import { connect, type Socket } from "node:net";

/** Where a Postgres takes connections: a folder with its socket, or a host; and a port. */
export interface Address {
  /** An absolute path of a folder, or a name, or an IP address. */
  readonly host: string;
  readonly port: number;
}

export function isSocket({ host }: Address): boolean {
  return host.startsWith("/");
}

/**
 * The URL of a server's database `postgres`, for its superuser `postgres`, whom our servers trust
 * over a socket: nobody else gets to it.
 */
export function urlOf(address: Address, password: string): string {
  const { host, port } = address;
  return isSocket(address)
    ? `postgres://postgres@localhost:${port}/postgres?host=${encodeURIComponent(host)}`
    : `postgres://postgres:${password}@${host}:${port}/postgres`;
}

/** What `net` connects to, or listens on. */
export function endpointOf(address: Address): { path: string } | { host: string; port: number } {
  const { host, port } = address;
  return isSocket(address) ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
}

export function dial(address: Address): Socket {
  return connect({ ...endpointOf(address), noDelay: true });
}
