import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { createInterface } from "node:readline";
import type { HarnessError } from "../core/error.ts";
import type { Result, Statement } from "../core/trace.ts";
import type { PendingStatement, ProxySession } from "./pending-statement.ts";
import type { GateObserver } from "./session.ts";
import type { WireProxy } from "./wire-proxy.ts";

/** What the proxy sends to the controller, as a line of JSON. */
type ControlMessage =
  | { readonly event: "held"; readonly session: number; readonly statement: Statement }
  | { readonly event: "answered"; readonly session: number; readonly result: Result }
  | { readonly event: "notified"; readonly session: number }
  | { readonly event: "waits"; readonly session: number; readonly waiting: boolean }
  | { readonly event: "closed"; readonly session: number }
  | { readonly event: "failed"; readonly message: string }
  | { readonly event: "error"; readonly message: string };

/**
 * Lets a program in any language control the proxy over a socket. The proxy sends a line of JSON for
 * each event (`ControlMessage`). The controller answers with a line for each decision,
 * `{"release": 1}` or `{"deliver": 1}`, by the number of a session. One controller can be connected
 * at a time; while there is none, everything passes.
 */
export class RemoteControl implements GateObserver {
  readonly #proxy: WireProxy;
  readonly #listener: Server;
  readonly #numbers = new Map<ProxySession, number>();
  /** The statements that the controller can move, by the number of their session. */
  readonly #pending = new Map<number, PendingStatement>();
  #controller: Socket | undefined;
  #count = 0;

  private constructor(proxy: WireProxy, listener: Server) {
    this.#proxy = proxy;
    this.#listener = listener;
    listener.on("connection", (socket) => this.#connected(socket));
  }

  /** @param where a port of this machine, or the path of a Unix socket */
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
    socket.once("close", () => this.#disconnected());
    createInterface({ input: socket }).on("line", (line) => this.#decide(line));
  }

  /** A controller that disconnects must not leave the service hanging. */
  #disconnected(): void {
    this.#controller = undefined;
    this.#proxy.observer = undefined;
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const statement of pending) {
      if (statement.state.at === "held") statement.release();
      else if (statement.state.at === "answered") statement.deliver();
    }
  }

  /** A decision about a statement that is not held there is ignored: it may have come too late. */
  #decide(line: string): void {
    const decision = parsed(line);
    const action = decision?.release !== undefined ? "release" : "deliver";
    const number = decision?.[action];
    if (number === undefined || ![...this.#numbers.values()].includes(number)) {
      this.#send({ event: "error", message: `this is no decision: ${line.slice(0, 200)}` });
      return;
    }
    const pending = this.#pending.get(number);
    if (action === "release" && pending?.state.at === "held") pending.release();
    if (action === "deliver" && pending?.state.at === "answered") pending.deliver();
  }

  #send(message: ControlMessage): void {
    this.#controller?.write(`${JSON.stringify(message)}\n`);
  }

  #numberOf(session: ProxySession): number {
    const number = this.#numbers.get(session) ?? ++this.#count;
    this.#numbers.set(session, number);
    return number;
  }

  /** Makes a statement the one that decisions about its session are about. */
  #control(pending: PendingStatement): number {
    const session = this.#numberOf(pending.session);
    this.#pending.set(session, pending);
    return session;
  }

  arrived(pending: PendingStatement): void {
    this.#send({ event: "held", session: this.#control(pending), statement: pending.statement });
  }

  reachedGate(pending: PendingStatement): void {
    pending.release();
  }

  answered(pending: PendingStatement): void {
    if (pending.state.at !== "answered") return;
    const { result } = pending.state;
    this.#send({ event: "answered", session: this.#control(pending), result });
  }

  notified(pending: PendingStatement): void {
    this.#send({ event: "notified", session: this.#control(pending) });
  }

  lockWait({ session }: PendingStatement, wait: "waiting" | "acquired"): void {
    const waiting = wait === "waiting";
    this.#send({ event: "waits", session: this.#numberOf(session), waiting });
  }

  closed(session: ProxySession): void {
    const number = this.#numberOf(session);
    this.#send({ event: "closed", session: number });
    this.#numbers.delete(session);
    this.#pending.delete(number);
  }

  settled(): void {}

  failed(error: HarnessError): void {
    this.#send({ event: "failed", message: error.message });
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
