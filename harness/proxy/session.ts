import type { Duplex } from "node:stream";
import { connectionLost, unsupported } from "../core/error.ts";
import type { Result } from "../core/trace.ts";
import type { GatePlace } from "../instrumentation/gate-locks.ts";
import type { Dial } from "./dialer.ts";
import type { ConnectionOrigin } from "./endpoint.ts";
import { errorFrame, FrameReader, ProtocolError, send } from "./frames.ts";
import type { GateObserver } from "./observer.ts";
import { ReplyReader } from "./replies.ts";
import { type Request, RequestReader } from "./requests.ts";
import { isolates, PASSWORD, readStartup } from "./startup.ts";

/** What a session needs of its proxy. */
export interface SessionContext {
  readonly dial: Dial;
  observer(): GateObserver<ProxySession> | undefined;
  /** Closes the gates inside the server, if there are any, and then delivers the session's start. */
  arm(session: ProxySession): void;
  /** Lets the session go on from a gate inside the server. */
  pass(session: ProxySession, gate: GatePlace): void;
  ended(session: ProxySession): void;
}

/** One connection of the service, joined to one connection of the server. */
export class ProxySession {
  /** The backend's process id, once the server has told it; 0 before. */
  pid = 0;
  readonly origin: ConnectionOrigin;
  transaction: Result["transaction"] = "idle";
  /** Its transactions have an isolation of their own. */
  isolates = false;
  /**
   * Whoever drives the proxy has the server end it, which is no interference. `lost`: the service hears
   * nothing more until the session is cut.
   */
  ended: "by-server" | "lost" | undefined;
  readonly #service: Duplex;
  readonly #around: SessionContext;
  #server: Duplex | undefined;
  #fromService = new FrameReader(true);
  #fromServer = new FrameReader(false);
  #requests = new RequestReader();
  #replies = new ReplyReader();
  #state: "starting" | "idle" | "held" | "database" | "answered" | "closed" = "starting";
  #queue: Request[] = [];
  #answer: Buffer[] = [];
  /** A connection that only asks to cancel another one's statement gets no answer. */
  #cancels = false;
  /** The server's last word. */
  #fatal = "";

  constructor(service: Duplex, around: SessionContext, owner: ConnectionOrigin = {}) {
    this.#service = service;
    this.#around = around;
    this.origin = owner;
    service.on("data", (chunk: Buffer) => this.#guard(() => this.#takeFromService(chunk)));
    service.on("error", () => this.cut()).on("close", () => this.cut());
  }

  /** Forwards the held request to the server. */
  release(): void {
    const request = this.#state === "held" ? this.#queue.shift() : undefined;
    if (request === undefined) return;
    this.#state = "database";
    send(this.#server, request.bytes);
  }

  /** Forwards the held answer to the service. */
  deliver(): void {
    if (this.#state !== "answered") return;
    this.#state = "idle";
    send(this.#service, this.#answer.splice(0));
    this.#next();
  }

  close(): void {
    this.#server?.destroy();
    this.#end();
  }

  #end(): void {
    if (this.#state === "closed") return;
    this.#state = "closed";
    this.#service.destroy();
    this.#around.ended(this);
  }

  /**
   * The connection is gone. A backend that works does not hear of it; one that is idle ends, and then
   * closes its side.
   */
  cut(last: Buffer = Buffer.alloc(0)): void {
    if (this.#state === "closed") return;
    if (this.#state === "database") this.#server?.destroy();
    else this.#server?.end(last);
    this.#end();
    this.#around.observer()?.closed(this);
  }

  /** A broken or hostile message ends this session and nothing more. */
  #guard(action: () => void): void {
    try {
      action();
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      this.#refuse("08P01", error.message);
    }
  }

  /** Tells the service why its session ends, and ends it. */
  #refuse(sqlstate: string, message: string): void {
    this.#endService(errorFrame("FATAL", sqlstate, `heddle: ${message}`));
    this.#server?.destroy();
    this.#around.observer()?.closed(this);
  }

  /** Lets the service hear the last of it, and hears no more from it. */
  #endService(last: Buffer = Buffer.alloc(0)): void {
    this.#state = "closed";
    this.#service.pause();
    this.#service.end(last, () => this.#service.destroy());
    this.#around.ended(this);
  }

  #unsupported(what: string): void {
    this.#refuse("0A000", `the statement gate does not support ${what}`);
    this.#around.observer()?.failed(unsupported(what));
  }

  #takeFromService(chunk: Buffer): void {
    for (const frame of this.#fromService.push(chunk)) {
      if (this.#state === "closed") return;
      if (this.#fromService.startup) this.#start(frame);
      else if (this.#state === "starting" && frame[0] === PASSWORD) send(this.#server, [frame]);
      else this.#request(frame);
    }
  }

  #start(frame: Buffer): void {
    const startup = readStartup(frame);
    if (startup === "encryption") {
      this.#service.write("N");
      return;
    }
    if (startup === "replication") {
      this.#unsupported("replication connections");
      return;
    }
    this.#cancels = startup === "cancel";
    this.isolates = isolates(frame);
    this.#fromService.startup = false;
    this.#around.dial().then(
      (server) => this.#join(server, frame),
      (error: Error) => {
        if (this.#state === "closed") return;
        this.#refuse("08006", `no connection to the server: ${error.message}`);
        this.#around.observer()?.failed(connectionLost(error.message));
      },
    );
  }

  #join(server: Duplex, frame: Buffer): void {
    if (this.#state === "closed") return void server.destroy();
    this.#server = server;
    server.on("data", (data: Buffer) => this.#guard(() => this.#takeFromServer(data)));
    server.on("error", (error) => this.#serverClosed(error.message));
    server.on("close", () => this.#serverClosed("the connection was closed"));
    send(server, [frame]);
  }

  #request(frame: Buffer): void {
    const intake = this.#requests.take(frame);
    if (intake.type === "request") {
      this.#queue.push(intake.request);
      this.#next();
    } else if (intake.type === "part") this.#part(frame);
    else if (intake.type === "terminate") this.cut(frame);
    else if (intake.type === "unsupported") this.#unsupported(intake.what);
  }

  /** Of a request that is held, or that the server works on. */
  #part(frame: Buffer): void {
    const held = this.#queue.at(-1);
    if (held === undefined) send(this.#server, [frame]);
    else held.bytes.push(frame);
  }

  #next(): void {
    const [request] = this.#queue;
    if (this.#state !== "idle" || request === undefined) return;
    this.#state = "held";
    const observer = this.#around.observer();
    if (observer === undefined) this.release();
    else observer.arrived(this, request.statement);
  }

  #takeFromServer(chunk: Buffer): void {
    for (const frame of this.#fromServer.push(chunk)) {
      if (this.#state === "closed" || this.ended === "lost") return;
      this.#reply(frame);
    }
    // Until the first ReadyForQuery (authentication), and in the middle of some requests.
    const talking = this.#state === "database" && this.#requests.talking;
    if (this.#state === "starting" || talking) send(this.#service, this.#answer.splice(0));
  }

  #reply(frame: Buffer): void {
    const reply = this.#replies.take(frame);
    const observer = this.#around.observer();
    if (reply.type === "ready") this.#ready(frame, reply.result);
    else if (reply.type === "lock-wait") observer?.lockWait(this, reply.state);
    else if (reply.type === "unsupported") this.#unsupported(reply.what);
    else if (reply.type === "gate") {
      if (observer === undefined) this.#around.pass(this, reply.gate);
      else observer.reached(this, reply.gate);
    } else if (reply.type === "fatal") {
      this.#fatal = reply.message;
      send(this.#service, [...this.#answer.splice(0), frame]);
    } else if (reply.type !== "drop") {
      if (reply.type === "key") this.pid = reply.pid;
      if (reply.type === "copy-in") this.#requests.copyIn();
      // What the server says between two requests (a changed setting) goes with the next answer.
      this.#answer.push(frame);
      if (reply.type !== "notification" || this.#state !== "idle") return;
      this.#state = "answered";
      if (observer === undefined) this.deliver();
      else observer.notified(this);
    }
  }

  #ready(frame: Buffer, result: Result): void {
    this.transaction = result.transaction;
    this.#requests.answered();
    this.#answer.push(frame);
    const starting = this.#state === "starting";
    this.#state = "answered";
    const observer = this.#around.observer();
    if (starting) this.#around.arm(this);
    else if (observer === undefined) this.deliver();
    else observer.answered(this, result);
  }

  #serverClosed(reason: string): void {
    if (this.#state === "closed" || this.ended === "lost") return;
    this.#endService();
    const observer = this.#around.observer();
    if (this.ended !== undefined) observer?.closed(this);
    else if (!this.#cancels) observer?.failed(connectionLost(this.#fatal || reason));
  }
}
