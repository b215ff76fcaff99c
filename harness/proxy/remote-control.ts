import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { HarnessError } from "../core/error.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";
import type { GateObserver } from "./observer.ts";
import type { ProxySession } from "./session.ts";
import type { WireProxy } from "./wire-proxy.ts";

/** Something that a controller is told, as a line of JSON. */
type Told =
  | { readonly event: "held"; readonly session: number; readonly statement: Statement }
  | { readonly event: "answered"; readonly session: number; readonly result: Result }
  | { readonly event: "notified"; readonly session: number }
  | { readonly event: "waits"; readonly session: number; readonly waiting: boolean }
  | { readonly event: "closed"; readonly session: number }
  | { readonly event: "failed"; readonly message: string }
  | { readonly event: "error"; readonly message: string };

/**
 * Lets another program decide who moves, in whatever language, over a socket: a line of JSON for each
 * thing that happens, and one for each decision, `{"release": 1}` or `{"deliver": 1}`, by the number
 * of a session. While nobody is connected, everything passes; one controller at a time.
 */
export class RemoteControl implements GateObserver<ProxySession> {
  readonly #proxy: WireProxy;
  readonly #listener: Server;
  readonly #numbers = new Map<ProxySession, number>();
  #controller: Socket | undefined;
  #count = 0;

  private constructor(proxy: WireProxy, listener: Server) {
    this.#proxy = proxy;
    this.#listener = listener;
    listener.on("connection", (socket) => this.#connected(socket));
  }

  /** `where`: a port of this machine, or the path of a socket. */
  static async listen(proxy: WireProxy, where: number | string): Promise<RemoteControl> {
    const listener = createServer();
    listener.listen(
      typeof where === "number" ? { host: "127.0.0.1", port: where } : { path: where },
    );
    await once(listener, "listening");
    return new RemoteControl(proxy, listener);
  }

  /** Where it listens: `127.0.0.1:5555`, or a path. */
  get address(): string {
    const address = this.#listener.address();
    if (typeof address === "object" && address !== null) return `127.0.0.1:${address.port}`;
    return address ?? "";
  }

  async stop(): Promise<void> {
    this.#controller?.destroy();
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }

  #connected(socket: Socket): void {
    if (this.#controller !== undefined) {
      socket.end(
        `${JSON.stringify({ event: "error", message: "there is a controller already" })}\n`,
      );
      return;
    }
    this.#controller = socket;
    this.#proxy.observer = this;
    socket.on("error", () => {});
    socket.once("close", () => this.#released());
    createInterface({ input: socket }).on("line", (line) => this.#decide(line));
  }

  /** Who goes away must not leave a service hanging. */
  #released(): void {
    this.#controller = undefined;
    this.#proxy.observer = undefined;
    for (const session of this.#proxy.sessions) {
      session.release();
      session.deliver();
    }
  }

  #decide(line: string): void {
    const decision = parsed(line);
    const action = decision?.release !== undefined ? "release" : "deliver";
    const number = decision?.[action];
    const [session] = [...this.#numbers].find(([, its]) => its === number) ?? [];
    if (session !== undefined) session[action]();
    else this.#tell({ event: "error", message: `this is no decision: ${line.slice(0, 200)}` });
  }

  #tell(told: Told): void {
    this.#controller?.write(`${JSON.stringify(told)}\n`);
  }

  #number(session: ProxySession): number {
    const number = this.#numbers.get(session) ?? ++this.#count;
    this.#numbers.set(session, number);
    return number;
  }

  arrived(session: ProxySession, statement: Statement): void {
    this.#tell({ event: "held", session: this.#number(session), statement });
  }

  reached(session: ProxySession, gate: GatePlace): void {
    this.#proxy.pass(session, gate);
  }

  answered(session: ProxySession, result: Result): void {
    this.#tell({ event: "answered", session: this.#number(session), result });
  }

  notified(session: ProxySession): void {
    this.#tell({ event: "notified", session: this.#number(session) });
  }

  lockWait(session: ProxySession, state: "waiting" | "acquired"): void {
    this.#tell({ event: "waits", session: this.#number(session), waiting: state === "waiting" });
  }

  closed(session: ProxySession): void {
    this.#tell({ event: "closed", session: this.#number(session) });
    this.#numbers.delete(session);
  }

  settled(): void {}

  failed(error: HarnessError): void {
    this.#tell({ event: "failed", message: error.message });
  }
}

function parsed(
  line: string,
): { readonly release?: number; readonly deliver?: number } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? value : undefined;
  } catch {
    return undefined;
  }
}
