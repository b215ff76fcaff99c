import { once } from "node:events";
import type { Socket } from "node:net";
import type { Duplex } from "node:stream";
import { connectionLost, HarnessError } from "../core/error.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import type { GateLocks, GatePlace } from "../instrumentation/gate-locks.ts";
import { ConnectionQueue } from "./connection-queue.ts";
import { type Dial, dialer } from "./dialer.ts";
import {
  type ConnectionOrigin,
  type Endpoint,
  heldEndpoint,
  type PortTarget,
  portEndpoint,
  redirectingEndpoint,
  socketEndpoint,
} from "./endpoint.ts";
import { localConnection } from "./local-connection.ts";
import type { Login } from "./login.ts";
import type { ProxySession } from "./pending-statement.ts";
import { type GateObserver, WireSession } from "./session.ts";

/** The gates inside the server and inside messages. */
interface Gates {
  readonly locks: Pick<GateLocks, "enable" | "open" | "disable">;
  readonly wire: WireGates;
}

interface ProxyOptions {
  /** Closed for each session before it can send its first request. */
  readonly gates?: Gates | undefined;
  /** Where the ports lead. Default: to the server, with the role of its URL. */
  readonly ports?: PortTarget | undefined;
}

/**
 * The statement gate: speaks the PostgreSQL wire protocol between the service and the server.
 * Without an observer it passes everything; with one it holds every request and every answer.
 */
export class WireProxy {
  observer: GateObserver | undefined;
  /** The proxy opens no connection to the server before this promise has settled. */
  outage: Promise<void> | undefined;
  /** Whether it lets in no connection, because the system that would open it is being ended. */
  refuses = false;
  #generation = 0;
  readonly sessions = new Set<ProxySession>();
  /** Connection string of the main endpoint, whose sessions have no fixed client. */
  readonly url: string;
  readonly #ports: PortTarget;
  readonly #dial: Dial;
  readonly #gates: Gates | undefined;
  readonly #endpoints: Endpoint[] = [];
  /** The ports that `listenOn` was called with. */
  readonly #given = new Set<number>();
  /** The endpoints of `urlFor`, by client; undefined is the service. */
  readonly #endpointsByClient = new Map<number | undefined, Promise<Endpoint>>();
  /** The sockets of the service, ended sessions included: a last message may be on its way. */
  readonly #sockets = new Set<Duplex>();
  readonly #connections = new ConnectionQueue(() => this.observer?.settled());
  /** Connections to the server whose sessions have ended, until the server closes them. */
  readonly #leaving = new Set<Duplex>();

  private constructor(
    serverUrl: string,
    { gates, ports = { url: serverUrl, refused: [] } }: ProxyOptions,
    main: Endpoint,
  ) {
    this.#ports = ports;
    this.#dial = dialer(serverUrl);
    this.#gates = gates;
    this.#endpoints.push(main);
    this.url = main.url;
  }

  /**
   * Starts a proxy that listens on a Unix socket in `folder`, which becomes private to this user; on
   * Windows it listens on loopback.
   */
  static async start(
    serverUrl: string,
    folder: string,
    options: ProxyOptions = {},
  ): Promise<WireProxy> {
    let accept = (_: Duplex, socket: Socket, __?: Login): void => {
      socket.destroy();
    };
    const main = await socketEndpoint(serverUrl, folder, (service, socket, login) =>
      accept(service, socket, login),
    );
    const proxy = new WireProxy(serverUrl, options, main);
    accept = (service, socket, login) => proxy.#accept(service, socket, {}, login);
    return proxy;
  }

  /** How many systems were started: connections within this process belong to the one that made them. */
  get generation(): number {
    return this.#generation;
  }

  /**
   * Begins another generation: connections are let in, except those that code of an earlier generation still
   * opens. Returns a function that makes a connection within this process, equal to one at `url`; its
   * `connect` opens it.
   */
  nextGeneration(): () => Duplex {
    this.refuses = false;
    const generation = ++this.#generation;
    return () => {
      const { service, gate } = localConnection(() => {
        if (generation === this.#generation) this.#accept(gate, gate, {});
        else gate.destroy();
      });
      return service;
    };
  }

  /** Connection string of a port whose sessions all belong to `client`, or else to the service. */
  async urlFor(client?: number): Promise<string> {
    const listening = this.#endpointsByClient.get(client);
    if (listening !== undefined) return (await listening).url;
    const origin = client === undefined ? { service: true } : { client };
    const opening = portEndpoint(this.#ports, (service, socket, login) => {
      if (this.#endpointsByClient.get(client) === opening)
        this.#accept(service, socket, origin, login);
      else socket.destroy();
    });
    this.#endpointsByClient.set(client, opening);
    const endpoint = await opening;
    this.#endpoints.push(endpoint);
    return endpoint.url;
  }

  /** Opens a port whose sessions all belong to `client`, and wait to be let in. */
  heldPort(client: number) {
    return heldEndpoint(this.#ports, (service, socket, login) =>
      this.#accept(service, socket, { client }, login),
    );
  }

  /**
   * Ends the sessions of a client, and refuses all later connections to its connection string: a client that was killed
   * does nothing more, whatever its code still tries. The next `urlFor` gives it another one.
   */
  async retire(client: number): Promise<void> {
    const opening = this.#endpointsByClient.get(client);
    this.#endpointsByClient.delete(client);
    const endpoint = await opening;
    if (endpoint !== undefined) {
      this.#endpoints.splice(this.#endpoints.indexOf(endpoint), 1);
      endpoint.listener.close();
    }
    for (const session of [...this.sessions]) if (session.origin.client === client) session.cut();
  }

  /** Listens on a given port, for a service that runs already (see `redirectingEndpoint`). */
  async listenOn(port: number, password?: string): Promise<void> {
    if (this.#given.has(port)) return;
    this.#given.add(port);
    const accept = (service: Duplex, socket: Socket, login?: Login) =>
      this.#accept(service, socket, {}, login);
    const endpoint = await redirectingEndpoint(this.#ports, port, password, accept);
    this.#endpoints.push(endpoint);
  }

  /** The number of open sessions at the endpoint of `client`; 0 if other clients use them too. */
  sessionsOf(client: number): number {
    const own = [...this.sessions].filter(({ origin }) => origin.client === client);
    return own.some(({ origin }) => origin.shared) ? 0 : own.length;
  }

  /** Whether a statement of a client is under way: it may be held for as long as others run. */
  isBusy(client: number): boolean {
    return [...this.sessions].some(({ origin, isBusy }) => origin.client === client && isBusy);
  }

  /** Whether a session is being opened, or the backend of an ended session is still there. */
  get unsettled(): boolean {
    return this.#connections.size > 0 || this.#leaving.size > 0;
  }

  #openGate(session: WireSession, { parity }: GatePlace): void {
    this.#gates?.locks
      .open(session.pid, parity)
      .catch((error: unknown) => this.#failed(session, error));
  }

  async #arm(session: WireSession): Promise<void> {
    try {
      await this.#gates?.locks.enable(session.pid);
      session.open();
    } catch (error) {
      this.#failed(session, error);
    }
  }

  /** Closes the session and reports the error. The gates of a session that has ended do not matter. */
  #failed(session: WireSession, error: unknown): void {
    if (!this.sessions.has(session)) return;
    session.close();
    this.observer?.failed(error instanceof HarnessError ? error : connectionLost(String(error)));
  }

  #accept(service: Duplex, socket: Duplex, origin: ConnectionOrigin, login?: Login): void {
    if (this.refuses) {
      socket.destroy();
      return;
    }
    this.#sockets.add(socket);
    socket.once("close", () => this.#sockets.delete(socket));
    let backend: Duplex | undefined;
    let leaveQueue = async () => {};
    const session = new WireSession(
      service,
      {
        wire: this.#gates?.wire ?? {},
        dial: async () => {
          leaveQueue = await this.#connections.next();
          if (!this.sessions.has(session)) void leaveQueue();
          await this.outage;
          backend = await this.#dial();
          return backend;
        },
        observer: () => this.observer,
        arm: (starting) => void this.#arm(starting).then(leaveQueue),
        openGate: (held, gate) => this.#openGate(held, gate),
        ended: (ended) => {
          this.sessions.delete(ended);
          void leaveQueue();
          if (backend !== undefined) this.#leave(ended, backend);
        },
      },
      origin,
      login,
    );
    this.sessions.add(session);
  }

  /** The server closes its side once the backend is gone and its locks are released. */
  #leave({ pid }: WireSession, backend: Duplex): void {
    const left = () => {
      this.#leaving.delete(backend);
      this.#gates?.locks.disable(pid).catch(() => {});
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
    await Promise.allSettled(this.#endpointsByClient.values());
    for (const { listener } of this.#endpoints) {
      const closed = once(listener, "close");
      listener.close();
      await closed;
    }
  }
}
