import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";
import { HarnessError } from "../core/error.ts";
import { type Dial, dialer } from "./dialer.ts";
import { connectionLost } from "./faults.ts";
import type { GateLocks, GatePlace } from "./gate-locks.ts";
import type { GateObserver } from "./observer.ts";
import { Session } from "./session.ts";

/** The gates inside the server. */
type Gates = Pick<GateLocks, "arm" | "open">;

/** The port that names the socket's file; nothing listens on it as a port. */
const SOCKET_PORT = 5432;

/**
 * The statement gate: speaks the PostgreSQL wire protocol between the service and the server.
 * Without an observer everything passes; with one, every request and every answer is held.
 * It listens on a Unix socket in `folder` (private to this user), on Windows on loopback.
 */
export class WireProxy {
  observer: GateObserver<Session> | undefined;
  readonly sessions = new Set<Session>();
  /** Connection string of this proxy: that of the server, with another address. */
  readonly url: string;
  readonly #listener: Server;
  readonly #gates: Gates | undefined;
  /** Those of ended sessions too, while a last word is on its way. */
  readonly #sockets = new Set<Socket>();

  private constructor(listener: Server, url: string, gates: Gates | undefined) {
    this.#listener = listener;
    this.#gates = gates;
    this.url = url;
  }

  /** `gates`, if given, are closed for each session before it sends its first request. */
  static async start(serverUrl: string, folder: string, gates?: Gates): Promise<WireProxy> {
    const dial = dialer(serverUrl);
    const listener = createServer({ noDelay: true });
    const windows = process.platform === "win32";
    if (!windows) await chmod(folder, 0o700);
    listener.listen(
      windows ? { host: "127.0.0.1", port: 0 } : { path: join(folder, `.s.PGSQL.${SOCKET_PORT}`) },
    );
    await once(listener, "listening");
    const address = listener.address();
    const url = new URL(serverUrl);
    for (const name of [...url.searchParams.keys()]) {
      if (name.startsWith("ssl")) url.searchParams.delete(name);
    }
    if (typeof address === "object" && address !== null) {
      url.searchParams.delete("host");
      url.host = `127.0.0.1:${address.port}`;
    } else {
      url.searchParams.set("host", folder);
      url.searchParams.set("port", String(SOCKET_PORT));
    }
    const proxy = new WireProxy(listener, url.toString(), gates);
    listener.on("connection", (socket) => proxy.#accept(socket, dial));
    return proxy;
  }

  /** Lets a session go on from the gate inside the server at which it stands. */
  pass(session: Session, { turn }: GatePlace): void {
    this.#gates?.open(session.pid, turn).catch((error: unknown) => this.#failed(session, error));
  }

  /** The service hears that its session is ready once the gates are closed. */
  #arm(session: Session): void {
    if (this.#gates === undefined) session.deliver();
    else {
      this.#gates.arm(session.pid).then(
        () => session.deliver(),
        (error: unknown) => this.#failed(session, error),
      );
    }
  }

  /** What becomes of an ended session's gates is nobody's concern. */
  #failed(session: Session, error: unknown): void {
    if (!this.sessions.has(session)) return;
    session.close();
    const known = error instanceof HarnessError ? error : connectionLost(String(error));
    this.observer?.failed(known);
  }

  #accept(socket: Socket, dial: Dial): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    const session = new Session(socket, {
      dial,
      observer: () => this.observer,
      arm: (it) => this.#arm(it),
      pass: (it, gate) => this.pass(it, gate),
      ended: (ended) => this.sessions.delete(ended),
    });
    this.sessions.add(session);
  }

  async stop(): Promise<void> {
    this.observer = undefined;
    for (const session of [...this.sessions]) session.close();
    for (const socket of this.#sockets) socket.destroy();
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }
}
