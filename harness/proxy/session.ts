import type { Duplex } from "node:stream";
import { connectionLost, type HarnessError, unsupported } from "../core/error.ts";
import type { Result } from "../core/trace.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";
import type { Dial } from "./dialer.ts";
import type { ConnectionOrigin } from "./endpoint.ts";
import { errorFrame, FrameReader, PASSWORD, ProtocolError, send } from "./frames.ts";
import { namesSetting, readStartup, setsIsolation } from "./handshake.ts";
import { AUTHENTICATION, isAuthenticated, type Login, ServerLogin } from "./login.ts";
import { OwnTimeout } from "./own-timeout.ts";
import { type Gate, PendingStatement, type ProxySession } from "./pending-statement.ts";
import { digestOfRows, ReplyReader } from "./replies.ts";
import { RequestParts, withBlockGates } from "./request-parts.ts";
import { type Request, RequestReader } from "./requests.ts";

/**
 * Is called with what happens on the sessions of a proxy, once the state of the statement has
 * changed. The proxy moves no statement on by itself.
 */
export interface GateObserver {
  /** A request arrived. The proxy holds it until `release`. */
  arrived(pending: PendingStatement): void;
  /** A statement stands at a gate inside the server until `release`. */
  reachedGate(pending: PendingStatement): void;
  /** The server answered. The proxy holds the response until `deliver`. */
  answered(pending: PendingStatement): void;
  /** The server sent a notification to an idle session. The proxy holds it until `deliver`. */
  notified(pending: PendingStatement): void;
  /** The server reported the beginning or the end of a wait for a lock. */
  lockWait(pending: PendingStatement, wait: "waiting" | "acquired"): void;
  /** A session has ended that the service closed, that was cut, or whose end was expected. */
  closed(session: ProxySession): void;
  /** A session has been opened, or the backend of an ended one is gone. */
  settled(): void;
  /** Something happened that the proxy cannot control, or that came from outside. */
  failed(error: HarnessError): void;
}

/** What a session uses of its proxy. */
export interface SessionContext {
  readonly dial: Dial;
  /** Where requests are held in the middle. */
  readonly wire: WireGates;
  observer(): GateObserver | undefined;
  /** Closes the gates inside the server for the session, and then calls its `open`. */
  arm(session: WireSession): void;
  /** Opens the gate inside the server at which the session's backend stands. */
  openGate(session: WireSession, gate: GatePlace): void;
  ended(session: WireSession): void;
}

/** One connection of the service, joined to one connection of the server. */
export class WireSession implements ProxySession {
  pid = 0;
  transaction: Result["transaction"] = "idle";
  isolates = false;
  readonly ownTimeout = new OwnTimeout();
  readonly origin: ConnectionOrigin;
  readonly #service: Duplex;
  readonly #context: SessionContext;
  readonly #login: ServerLogin | undefined;
  #server: Duplex | undefined;
  #fromService = new FrameReader(true);
  #fromServer = new FrameReader(false);
  #requests = new RequestReader();
  #replies = new ReplyReader();
  /** `arming`: the server is ready, and the service learns of it once the gates are closed. */
  #phase: "starting" | "arming" | "open" | "closed" = "starting";
  /** The statement at the head of the session; requests that arrive meanwhile are in the queue. */
  #pending: PendingStatement | undefined;
  #queue: Request[] = [];
  /** The request that the server works on, if it is sent in parts. */
  #parts: RequestParts | undefined;
  /** Messages of the server that the service does not have yet. */
  #answer: Buffer[] = [];
  #endExpected = false;
  #serverIgnored = false;
  /** A connection that only asks to cancel another one's statement gets no answer. */
  #cancels = false;
  /** The last FATAL error. */
  #fatal: { readonly message: string; readonly sqlstate: string } | undefined;

  /** @param login how to log in to the server, if the proxy does that and not the service */
  constructor(
    service: Duplex,
    context: SessionContext,
    origin: ConnectionOrigin = {},
    login?: Login,
  ) {
    this.#login = login && new ServerLogin(login);
    this.#service = service;
    this.#context = context;
    this.origin = origin;
    service.on("data", (chunk: Buffer) => this.#guard(() => this.#takeFromService(chunk)));
    service.on("error", () => this.cut()).on("close", () => this.cut());
  }

  /** Reports to the service that the session is ready for its first request. */
  open(): void {
    if (this.#phase !== "arming") return;
    this.#phase = "open";
    send(this.#service, this.#answer.splice(0));
    this.#next();
  }

  get isBusy(): boolean {
    return this.#pending !== undefined;
  }

  close(): void {
    this.#server?.destroy();
    this.#end();
  }

  rowsDigest(): string {
    return digestOfRows(this.#answer);
  }

  cut(): void {
    this.#cut(Buffer.alloc(0));
  }

  expectEnd(): void {
    this.#endExpected = true;
  }

  ignoreServer(): void {
    this.#serverIgnored = true;
  }

  /**
   * A backend that works on a statement does not notice that its connection is gone. An idle one
   * ends, and then closes its side.
   */
  #cut(last: Buffer): void {
    if (this.#phase === "closed") return;
    if (this.#pending?.isInServer) this.#server?.destroy();
    else this.#server?.end(last);
    this.#end();
    this.#context.observer()?.closed(this);
  }

  #end(): void {
    if (this.#phase === "closed") return;
    this.#service.destroy();
    this.#closed();
  }

  /** Sends the service the last message, and reads nothing more from it. */
  #endService(last: Buffer = Buffer.alloc(0)): void {
    this.#service.pause();
    this.#service.end(last, () => this.#service.destroy());
    this.#closed();
  }

  #closed(): void {
    this.#phase = "closed";
    if (this.#pending !== undefined && this.#pending.state.at !== "complete") {
      this.#pending.disconnect();
    }
    this.#context.ended(this);
  }

  /** A broken or hostile message ends this session and nothing more. */
  #guard(action: () => void): void {
    if (this.#phase === "closed") return;
    try {
      action();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse(error.sqlstate, error.message);
    }
  }

  /** Ends the session, and sends the service the reason. */
  #refuse(sqlstate: string, message: string): void {
    this.#endService(errorFrame("FATAL", sqlstate, `heddle: ${message}`));
    this.#server?.destroy();
    this.#context.observer()?.closed(this);
  }

  #unsupported(what: string): void {
    this.#refuse("0A000", `the statement gate does not support ${what}`);
    this.#context.observer()?.failed(unsupported(what));
  }

  #takeFromService(chunk: Buffer): void {
    for (const frame of this.#fromService.push(chunk)) {
      if (this.#phase === "closed") return;
      if (this.#fromService.startup) this.#start(frame);
      else if (this.#phase === "starting" && frame[0] === PASSWORD) this.#password(frame);
      else this.#request(frame);
    }
  }

  #password(frame: Buffer): void {
    if (this.#login === undefined) send(this.#server, [frame]);
  }

  #start(frame: Buffer): void {
    const startup = readStartup(frame);
    if (startup === "encryption") {
      this.#service.write("N");
      return;
    }
    if (startup === "replication") return void this.#unsupported("replication connections");
    this.#cancels = startup === "cancel";
    this.#mayConfigure(frame.toString("latin1"));
    this.#fromService.startup = false;
    this.#context.dial().then(
      (server) => this.#join(server, frame),
      (error: Error) => {
        if (this.#phase === "closed") return;
        this.#refuse("08006", `no connection to the server: ${error.message}`);
        this.#context.observer()?.failed(connectionLost(error.message));
      },
    );
  }

  #join(server: Duplex, frame: Buffer): void {
    if (this.#phase === "closed") return void server.destroy();
    this.#server = server;
    server.on("data", (data: Buffer) => this.#guard(() => this.#takeFromServer(data)));
    server.on("error", (error) => this.#serverClosed(error.message));
    server.on("close", () => this.#serverClosed("the connection was closed"));
    send(server, [frame]);
  }

  #mayConfigure(...texts: readonly (string | null)[]): void {
    const text = texts.some(namesSetting) ? texts.join(" ") : "";
    this.isolates ||= setsIsolation(text);
    this.ownTimeout.note(text);
  }

  #request(frame: Buffer): void {
    const intake = this.#requests.take(frame);
    if (intake.type === "request") {
      this.#queue.push(intake.request);
      this.#next();
    } else if (intake.type === "part") this.#part(frame);
    else if (intake.type === "terminate") this.#cut(frame);
    else if (intake.type === "unsupported") this.#unsupported(intake.what);
  }

  /** A part of a request that is held, or that the server works on. */
  #part(frame: Buffer): void {
    const held = this.#queue.at(-1);
    if (held === undefined) send(this.#server, [frame]);
    else held.bytes.push(frame);
  }

  /** Makes the next request of the queue the pending statement, once the last one is complete. */
  #next(): void {
    const [request] = this.#queue;
    if (this.#phase !== "open" || this.#pending !== undefined || request === undefined) return;
    const pending = new PendingStatement(this, request.statement, {
      forward: () => {
        this.#queue.shift();
        this.#mayConfigure(request.statement.sql, ...request.statement.values);
        const gated = withBlockGates(request, this.#context.wire);
        this.#parts = RequestParts.of(gated, this.#context.wire, this);
        send(this.#server, this.#parts?.next() ?? gated.bytes);
      },
      reply: () => this.#reply(),
    });
    this.#pending = pending;
    const observer = this.#context.observer();
    if (observer === undefined) pending.release();
    else observer.arrived(pending);
  }

  #reply(): void {
    this.#pending = undefined;
    send(this.#service, this.#answer.splice(0));
    this.#next();
  }

  #takeFromServer(chunk: Buffer): void {
    for (const frame of this.#fromServer.push(chunk)) {
      if (this.#phase === "closed" || this.#serverIgnored) return;
      this.#take(frame);
    }
    // Until the first ReadyForQuery (authentication), and in the middle of some requests.
    const talking = this.#pending?.isInServer && this.#requests.talking;
    if (this.#phase === "starting" || talking) send(this.#service, this.#answer.splice(0));
  }

  #take(frame: Buffer): void {
    if (this.#phase === "starting" && frame[0] === AUTHENTICATION && this.#login !== undefined) {
      this.#authenticate(this.#login, frame);
      return;
    }
    const progress = this.#parts?.take(frame);
    if (progress === undefined) this.#takeReply(frame);
    else {
      if (progress.reply !== undefined) this.#takeReply(progress.reply);
      send(this.#server, progress.send);
      if (progress.place !== undefined) this.#reachedPart(progress.place);
    }
  }

  #takeReply(frame: Buffer): void {
    const reply = this.#replies.take(frame);
    if (reply.type === "ready") this.#ready(frame, reply.result);
    else if (reply.type === "lock-wait") this.#lockWait(reply.wait);
    else if (reply.type === "unsupported") this.#unsupported(reply.what);
    else if (reply.type === "gate") this.#reachedGate(reply.gate);
    else if (reply.type === "fatal") {
      this.#fatal = reply;
      send(this.#service, [...this.#answer.splice(0), frame]);
    } else if (reply.type !== "drop") {
      if (reply.type === "key") this.pid = reply.pid;
      if (reply.type === "copy-in") this.#requests.copyIn();
      // What the server sends between two requests (a changed setting) goes with the next answer.
      this.#answer.push(frame);
      if (reply.type === "notification") this.#notified();
    }
  }

  /** The service sees only the end of the proxy's login. */
  #authenticate(login: ServerLogin, frame: Buffer): void {
    const answer = login.answer(frame);
    if (answer !== undefined) send(this.#server, [answer]);
    else if (isAuthenticated(frame)) this.#answer.push(frame);
  }

  #ready(frame: Buffer, result: Result): void {
    this.transaction = result.transaction;
    this.ownTimeout.noteTransaction(result.transaction);
    this.#requests.answered();
    this.#parts = undefined;
    this.#answer.push(frame);
    if (this.#phase === "starting") {
      if (this.#login?.entered === false) throw new ProtocolError("the server was ready too early");
      this.#phase = "arming";
      this.#context.arm(this);
      return;
    }
    const pending = this.#inServer("an answer");
    pending.answer(result);
    const observer = this.#context.observer();
    if (observer === undefined) pending.deliver();
    else observer.answered(pending);
  }

  #reachedGate(gate: GatePlace): void {
    this.#hold({ place: gate.place, open: () => this.#context.openGate(this, gate) });
  }

  /** The server has answered a part of the request. The next part is sent once the gate is opened. */
  #reachedPart(place: number): void {
    const open = () => send(this.#server, this.#parts?.next() ?? []);
    this.#hold({ place, inMessage: true, open });
  }

  #hold(gate: Gate): void {
    const pending = this.#inServer("a message from a gate");
    pending.reachGate(gate);
    const observer = this.#context.observer();
    if (observer === undefined) pending.release();
    else observer.reachedGate(pending);
  }

  /** In any other state the message tells nothing new. One of a stopped backend was sent before it stopped. */
  #lockWait(wait: "waiting" | "acquired"): void {
    const pending = this.#pending;
    if (pending === undefined) return;
    if (wait === "waiting" && pending.state.at === "running") pending.waitForLock();
    const { at } = pending.state;
    if (wait === "acquired" && (at === "waiting" || at === "stopped")) pending.acquireLock();
    this.#context.observer()?.lockWait(pending, wait);
  }

  #notified(): void {
    if (this.#phase !== "open" || this.#pending !== undefined) return;
    const pending = PendingStatement.notification(this, () => this.#reply());
    this.#pending = pending;
    const observer = this.#context.observer();
    if (observer === undefined) pending.deliver();
    else observer.notified(pending);
  }

  /** The statement that a message of the server is about. Throws ProtocolError if there is none. */
  #inServer(what: string): PendingStatement {
    if (!this.#pending?.isInServer) throw new ProtocolError(`the server sent ${what} unasked`);
    return this.#pending;
  }

  #serverClosed(reason: string): void {
    if (this.#phase === "closed" || this.#serverIgnored) return;
    this.#endService();
    const observer = this.#context.observer();
    if (this.#endExpected) observer?.closed(this);
    else if (!this.#cancels) {
      const { message = reason, sqlstate } = this.#fatal ?? {};
      observer?.failed(connectionLost(message || reason, sqlstate));
    }
  }
}
