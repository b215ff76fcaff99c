import { connect, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type ConnectionOptions, connect as secure } from "node:tls";
import { parse } from "pg-connection-string";
import { HarnessError } from "../core/error.ts";

/** Opens a connection to the server. */
export type Dial = () => Promise<Duplex>;

/** SSLRequest: length 8, code 80877103. */
const SSL_REQUEST = Buffer.from([0, 0, 0, 8, 4, 210, 22, 47]);

/** Dials the server of a connection string, with TLS where the string asks for it. */
export function dialer(serverUrl: string): Dial {
  const options = parse(serverUrl);
  const host = options.host ?? "localhost";
  const port = Number(options.port ?? 0) || 5432;
  const address = host.startsWith("/") ? { path: `${host}/.s.PGSQL.${port}` } : { host, port };
  const tls = options.ssl;
  if (tls === undefined || tls === false)
    return () => opened(connect({ ...address, noDelay: true }));
  const settings: ConnectionOptions = {
    ...(typeof tls === "object" ? { ...tls, cert: tls.cert ?? undefined } : {}),
    ...(host.startsWith("/") ? {} : { servername: host }),
  } as ConnectionOptions;
  return async () => {
    const plain = await opened(connect({ ...address, noDelay: true }));
    return encrypted(plain, settings);
  };
}

function opened(socket: Socket): Promise<Socket> {
  return new Promise((resolve, reject) => {
    socket.once("connect", () => resolve(socket));
    socket.once("error", reject);
  });
}

/** https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-SSL */
function encrypted(plain: Socket, settings: ConnectionOptions): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    plain.once("error", reject);
    plain.once("data", (answer: Buffer) => {
      if (answer.toString("latin1") !== "S") {
        plain.destroy();
        reject(
          new HarnessError(
            "PROVIDER_FAILED",
            "the server refuses TLS, which its URL asks for; take sslmode out of the URL",
          ),
        );
        return;
      }
      const socket = secure({ ...settings, socket: plain });
      socket.once("secureConnect", () => resolve(socket));
      socket.once("error", reject);
    });
    plain.write(SSL_REQUEST);
  });
}
