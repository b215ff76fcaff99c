import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { parse } from "pg-connection-string";
import { FrameReader } from "./frames.ts";
import { query, startup } from "./messages.fixture.ts";

/** A client that sends raw bytes, and collects the messages that it gets. */
export class RawClient {
  readonly frames: Buffer[] = [];
  /** The process id and the secret for a cancel request, from BackendKeyData. */
  key: Buffer = Buffer.alloc(0);
  readonly #socket: Socket;
  readonly #reader = new FrameReader(false);
  #ended = false;
  #untyped: ((chunk: Buffer) => void) | undefined;
  #wake: (() => void) | undefined;

  private constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("data", (chunk: Buffer) => {
      if (this.#untyped === undefined) this.frames.push(...this.#reader.push(chunk));
      else this.#untyped(chunk);
      this.#wake?.();
    });
    // The proxy may close the connection while a hostile client still sends.
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      this.#wake?.();
    });
  }

  /** @param url a connection string with a Unix socket */
  static async open(url: string): Promise<RawClient> {
    const { host, port } = parse(url);
    const socket = connect({ path: `${host}/.s.PGSQL.${port}`, noDelay: true });
    await once(socket, "connect");
    return new RawClient(socket);
  }

  /** Open, and ready for queries. */
  static async ready(url: string): Promise<RawClient> {
    const client = await RawClient.open(url);
    await client.begin(url);
    return client;
  }

  async begin(url: string): Promise<void> {
    const { user, database } = parse(url);
    this.send(startup("user", user ?? "", "database", database ?? ""));
    const frames = await this.until("Z");
    this.key = frames.find((frame) => typeOf(frame) === "K")?.subarray(5) ?? this.key;
  }

  /** Asks for encryption. The answer is a single byte and no message. */
  async encryption(request: Buffer): Promise<string> {
    const answer = new Promise<string>((resolve) => {
      this.#untyped = (chunk) => resolve(chunk.toString());
    });
    this.send(request);
    const byte = await answer;
    this.#untyped = undefined;
    return byte;
  }

  get pid(): number {
    return this.key.readInt32BE(0);
  }

  send(...bytes: Buffer[]): void {
    this.#socket.write(Buffer.concat(bytes));
  }

  /** The messages up to the next one of that type. Rejects when the connection ends before. */
  async until(type: string): Promise<Buffer[]> {
    for (;;) {
      const at = this.frames.findIndex((frame) => typeOf(frame) === type);
      if (at >= 0) return this.frames.splice(0, at + 1);
      if (this.#ended) throw new Error(`the connection ended before a message of type ${type}`);
      await this.#something();
    }
  }

  /** Sends a simple query, and resolves with the messages of its answer. */
  query(sql: string): Promise<Buffer[]> {
    this.send(query(sql));
    return this.until("Z");
  }

  /** Resolves with the remaining messages once the proxy has ended the connection. */
  async ended(): Promise<Buffer[]> {
    while (!this.#ended) await this.#something();
    return this.frames.splice(0);
  }

  /** Closes its own side of the connection. */
  finish(): void {
    this.#socket.end();
  }

  close(): void {
    this.#socket.destroy();
  }

  #something(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}

export function typeOf(frame: Buffer): string {
  return String.fromCharCode(frame[0] ?? 0);
}

/** The SQLSTATE and the message of an ErrorResponse among `frames`. */
export function errorIn(frames: readonly Buffer[]): string | undefined {
  const fields = frames
    .find((frame) => typeOf(frame) === "E")
    ?.toString("utf8", 5)
    .split("\0");
  const field = (code: string) => fields?.find((text) => text.startsWith(code))?.slice(1);
  return fields && `${field("C")} ${field("M")}`;
}
