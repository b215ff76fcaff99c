import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connectionLost, HarnessError } from "../core/error.ts";
import type { GateLocks, GatePlace } from "../instrumentation/gate-locks.ts";
import { ConnectionQueue } from "./connection-queue.ts";
import { type Dial, dialer } from "./dialer.ts";
import {
  type ConnectionOrigin,
  type Endpoint,
  portEndpoint,
  redirectingEndpoint,
  socketEndpoint,
} from "./endpoint.ts";
import { localConnection } from "./local-connection.ts";
import type { GateObserver } from "./observer.ts";
import { ProxySession } from "./session.ts";

/** The gates inside the server. */
type Gates = Pick<GateLocks, "arm" | "open" | "disarm">;

/**
 * The statement gate: speaks the PostgreSQL wire protocol between the service and the server.
 * Without an observer everything passes; with one, every request and every answer is held.
 */
export class WireProxy {
  observer: GateObserver<ProxySession> | undefined;
  /** Until it is over, no connection to the server is opened. */
  outage: Promise<void> | undefined;
  readonly sessions = new Set<ProxySession>();
  /** The connection string of its own endpoint, whose sessions are of whoever is running. */
  readonly url: string;
  readonly #serverUrl: string;
  readonly #dial: Dial;
  readonly #gates: Gates | undefined;
  /** The first is its own; the others by client. */
  readonly #endpoints: Endpoint[] = [];
  readonly #ports = new Set<number>();
  readonly #clients = new Map<number | undefined, Promise<Endpoint>>();
  /** Those of ended sessions too, while a last word is on its way. */
  readonly #sockets = new Set<Duplex>();
  readonly #openings = new ConnectionQueue(() => this.observer?.settled());
  /** The server's side of sessions that ended, until the server closes it. */
  readonly #leaving = new Set<Duplex>();

  private constructor(serverUrl: string, gates: Gates | undefined, own: Endpoint) {
    this.#serverUrl = serverUrl;
    this.#dial = dialer(serverUrl);
    this.#gates = gates;
    this.#endpoints.push(own);
    this.url = own.url;
  }

  /**
   * It listens on a Unix socket in `folder` (private to this user), on Windows on loopback.
   * `gates`, if given, are closed for each session before it sends its first request.
   */
  static async start(serverUrl: string, folder: string, gates?: Gates): Promise<WireProxy> {
    let accept = (_: Duplex, socket: Socket): void => {
      socket.destroy();
    };
    const own = await socketEndpoint(serverUrl, folder, (service, socket) =>
      accept(service, socket),
    );
    const proxy = new WireProxy(serverUrl, gates, own);
    accept = (service, socket) => proxy.#accept(service, socket, {});
    return proxy;
  }

  /** A connection within this process, as of the proxy's own endpoint; `connect` opens it. */
  connection(): Duplex {
    const { service, gate } = localConnection(() => this.#accept(gate, gate, {}));
    return service;
  }

  /** Connection string of a port at which all sessions are of that client, or of the service. */
  async urlFor(client?: number): Promise<string> {
    const known = this.#clients.get(client);
    if (known !== undefined) return (await known).url;
    const opening = portEndpoint(this.#serverUrl, (service, socket) =>
      this.#accept(service, socket, client === undefined ? { service: true } : { client }),
    );
    this.#clients.set(client, opening);
    const endpoint = await opening;
    this.#endpoints.push(endpoint);
    return endpoint.url;
  }

  /** Listens on a port of its own choice for a service that runs already (see `adoptingEndpoint`). */
  async listenOn(port: number): Promise<void> {
    if (this.#ports.has(port)) return;
    this.#ports.add(port);
    const endpoint = await redirectingEndpoint(this.#serverUrl, port, (service, socket) =>
      this.#accept(service, socket, {}),
    );
    this.#endpoints.push(endpoint);
  }

  /** How many sessions of one client are open. */
  sessionsOf(client: number): number {
    return [...this.sessions].filter(({ origin }) => origin.client === client).length;
  }

  /** Whether sessions are being opened, or were ended and the server is not done with them. */
  get unsettled(): boolean {
    return this.#openings.size > 0 || this.#leaving.size > 0;
  }

  /** Lets a session go on from the gate inside the server at which it stands. */
  pass(session: ProxySession, { turn }: GatePlace): void {
    this.#gates?.open(session.pid, turn).catch((error: unknown) => this.#failed(session, error));
  }

  /** The service hears that its session is ready once the gates are closed. */
  async #arm(session: ProxySession): Promise<void> {
    try {
      await this.#gates?.arm(session.pid);
      session.deliver();
    } catch (error) {
      this.#failed(session, error);
    }
  }

  /** What becomes of an ended session's gates is nobody's concern. */
  #failed(session: ProxySession, error: unknown): void {
    if (!this.sessions.has(session)) return;
    session.close();
    const known = error instanceof HarnessError ? error : connectionLost(String(error));
    this.observer?.failed(known);
  }

  #accept(service: Duplex, socket: Duplex, owner: ConnectionOrigin): void {
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    let backend: Duplex | undefined;
    let opened = async () => {};
    const session: ProxySession = new ProxySession(
      service,
      {
        dial: async () => {
          opened = await this.#openings.next();
          if (!this.sessions.has(session)) void opened();
          await this.outage;
          backend = await this.#dial();
          return backend;
        },
        observer: () => this.observer,
        arm: (it) => void this.#arm(it).then(opened),
        pass: (it, gate) => this.pass(it, gate),
        ended: (it) => {
          this.sessions.delete(it);
          void opened();
          if (backend !== undefined) this.#leave(it, backend);
        },
      },
      owner,
    );
    this.sessions.add(session);
  }

  /** The server closes its side when the backend is gone, and with it all that it held. */
  #leave({ pid }: ProxySession, backend: Duplex): void {
    const left = () => {
      this.#leaving.delete(backend);
      this.#gates?.disarm(pid).catch(() => {});
      this.observer?.settled();
    };
    if (backend.closed) left();
    else {
      this.#leaving.add(backend);
      backend.once("close", left);
    }
  }

  async stop(): Promise<void> {
    this.observer = undefined;
    for (const session of [...this.sessions]) session.close();
    for (const socket of this.#sockets) socket.destroy();
    await Promise.allSettled(this.#clients.values());
    for (const { listener } of this.#endpoints) {
      const closed = once(listener, "close");
      listener.close();
      await closed;
    }
  }
}
