import { randomBytes, timingSafeEqual } from "node:crypto";
import { once } from "node:events";
import { chmod } from "node:fs/promises";
import { createServer, type Server, type Socket } from "node:net";
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

/** The time in which a controller must have sent the token, or have read why it is refused. */
const PATIENCE_MS = 10_000;

/** The most connections that have not sent the token. The oldest one gives way to a new one. */
const MOST_STRANGERS = 100;

/** What a controller may leave unread, in bytes: one that leaves more is disconnected. */
const MOST_UNREAD = 16 * 2 ** 20;

/** The longest line of a controller, in characters. */
const MAX_LINE = 10_000;

/**
 * Lets a program in any language control the proxy over a socket. Its first line is the token, as
 * `{"token": "…"}`: other users of the machine could connect too. The proxy sends a line of JSON for
 * each event (`ControlMessage`). The controller answers with a line for each decision,
 * `{"release": 1}` or `{"deliver": 1}`, by the number of a session. One controller can be connected
 * at a time; while there is none, everything passes.
 */
export class RemoteControl implements GateObserver {
  /** What a controller must send first. */
  readonly token = randomBytes(16).toString("hex");
  /** Connections that have not sent the token, the oldest first. */
  readonly #strangers = new Set<Socket>();
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
    if (typeof where === "string" && process.platform !== "win32") await chmod(where, 0o600);
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
    for (const socket of this.#strangers) socket.destroy();
    const closed = once(this.#listener, "close");
    this.#listener.close();
    await closed;
  }

  #connected(socket: Socket): void {
    const [oldest] = this.#strangers;
    if (this.#strangers.size >= MOST_STRANGERS) oldest?.destroy();
    this.#strangers.add(socket);
    const expect = () => setTimeout(() => socket.destroy(), PATIENCE_MS);
    let patience = expect();
    const left = () => {
      clearTimeout(patience);
      this.#strangers.delete(socket);
      if (this.#controller === socket) this.#disconnected();
    };
    socket.on("error", () => {}).once("close", left);
    const refuse = (message: string) => {
      left();
      patience = expect();
      socket.pause().removeAllListeners("data");
      socket.end(`${JSON.stringify({ event: "error", message })}\n`, () => socket.destroy());
    };
    onLines(socket, refuse, (line) => {
      if (this.#controller === socket) this.#decide(line);
      else if (!this.#isToken(line)) refuse('the first line must be {"token": "…"} of this proxy');
      else if (this.#controller !== undefined) refuse("there is a controller already");
      else {
        clearTimeout(patience);
        this.#strangers.delete(socket);
        this.#controller = socket;
        this.#proxy.observer = this;
      }
    });
  }

  #isToken(line: string): boolean {
    const token = parsed(line)?.["token"];
    if (typeof token !== "string") return false;
    const [given, expected] = [Buffer.from(token), Buffer.from(this.token)];
    return given.length === expected.length && timingSafeEqual(given, expected);
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
    const action = decision?.["release"] !== undefined ? "release" : "deliver";
    const number = decision?.[action];
    if (typeof number !== "number" || ![...this.#numbers.values()].includes(number)) {
      this.#send({ event: "error", message: `this is no decision: ${line.slice(0, 200)}` });
      return;
    }
    const pending = this.#pending.get(number);
    if (action === "release" && pending?.state.at === "held") pending.release();
    if (action === "deliver" && pending?.state.at === "answered") pending.deliver();
  }

  #send(message: ControlMessage): void {
    const controller = this.#controller;
    if (controller === undefined) return;
    if (controller.writableLength > MOST_UNREAD) controller.destroy();
    else controller.write(`${JSON.stringify(message)}\n`);
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

/** Calls `use` with each line. Calls `refuse` once, and reads no further, if a line is too long. */
function onLines(
  socket: Socket,
  refuse: (message: string) => void,
  use: (line: string) => void,
): void {
  let unread = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    const lines = (unread + text).split("\n");
    unread = lines.pop() ?? "";
    for (const line of lines) {
      if (socket.isPaused() || socket.destroyed) return;
      use(line);
    }
    if (unread.length > MAX_LINE) refuse("a line is too long");
  });
}

/** The members of a JSON object; any other text has none. */
function parsed(line: string): { readonly [name: string]: unknown } | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}
