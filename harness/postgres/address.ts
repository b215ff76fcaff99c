import { once } from "node:events";
import { type AddressInfo, connect, createServer, type Socket } from "node:net";

/** Where a Postgres accepts connections: the folder of a Unix socket or a host, and a port. */
export interface Address {
  /** The absolute path of a folder, a host name, or an IP address. */
  readonly host: string;
  readonly port: number;
}

/** Whether an address is a Unix socket. */
export function isSocket({ host }: Address): boolean {
  return host.startsWith("/");
}

/**
 * The URL of a server's database `postgres` for its superuser `postgres`. Over a
 * socket, a server of Heddle's lets in the OS user of this process without a password.
 */
export function urlOf(address: Address, password: string): string {
  const { host, port } = address;
  return isSocket(address)
    ? `postgres://postgres@localhost:${port}/postgres?host=${encodeURIComponent(host)}`
    : `postgres://postgres:${password}@${host}:${port}/postgres`;
}

/** The address as an option of `net.connect` and `net.listen`. */
export function endpointOf(address: Address): { path: string } | { host: string; port: number } {
  const { host, port } = address;
  return isSocket(address) ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
}

/** Opens a TCP or socket connection to an address. */
export function dial(address: Address): Socket {
  return connect({ ...endpointOf(address), noDelay: true });
}

/** A TCP address of the loopback interface with a free port. */
export async function freePort(): Promise<Address> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address, port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { host: address, port };
}
