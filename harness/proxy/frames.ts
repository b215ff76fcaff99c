import type { Duplex } from "node:stream";

/**
 * Framing of the PostgreSQL frontend/backend protocol, version 3
 * (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */

/** The longest message that is accepted, in bytes. The server's own limit is a little under 1 GiB. */
export const MAX_FRAME = 256 * 1024 * 1024;

/** The longest startup packet, in bytes: the server's limit. */
const MAX_STARTUP = 10_000;

/** The only message that a client sends between the startup packet and the first ReadyForQuery. */
export const PASSWORD = 0x70;

/** A peer does not follow the protocol, or its password is wrong. */
export class ProtocolError extends Error {
  readonly sqlstate: string;

  constructor(message: string, sqlstate = "08P01") {
    super(message);
    this.sqlstate = sqlstate;
  }
}

/**
 * Cuts a byte stream into messages. A message includes its header, and is copied only if it came in
 * several pieces.
 */
export class FrameReader {
  #pieces: Buffer[] = [];
  #size = 0;
  #needed = 1;
  /** Whether the next message has no type byte, like a client's first packets. */
  startup: boolean;

  constructor(startup: boolean) {
    this.startup = startup;
  }

  /** Throws ProtocolError when the stream does not follow the protocol. */
  *push(chunk: Buffer): Generator<Buffer> {
    this.#pieces.push(chunk);
    this.#size += chunk.length;
    while (this.#size >= this.#needed) {
      const buffer = this.#gather();
      const header = this.startup ? 4 : 5;
      if (buffer.length < header) {
        this.#needed = header;
        continue;
      }
      const length = buffer.readInt32BE(header - 4) + header - 4;
      if (length < header || length > (this.startup ? MAX_STARTUP : MAX_FRAME)) {
        throw new ProtocolError(`a message claims a length of ${length} bytes`);
      }
      if (buffer.length < length) {
        this.#needed = length;
        continue;
      }
      this.#setUnread(buffer.subarray(length));
      yield buffer.subarray(0, length);
    }
  }

  /** Takes the bytes after the last message. */
  takeUnread(): Buffer {
    const unread = Buffer.concat(this.#pieces);
    this.#setUnread(Buffer.alloc(0));
    return unread;
  }

  #gather(): Buffer {
    const [first] = this.#pieces;
    const whole = this.#pieces.length === 1 && first ? first : Buffer.concat(this.#pieces);
    this.#pieces = [whole];
    return whole;
  }

  #setUnread(bytes: Buffer): void {
    this.#pieces = bytes.length === 0 ? [] : [bytes];
    this.#size = bytes.length;
    this.#needed = 1;
  }
}

/** Reads a message's fields. Reading past the end throws ProtocolError. */
export class FieldReader {
  readonly #frame: Buffer;
  #at: number;

  constructor(frame: Buffer, at = 5) {
    this.#frame = frame;
    this.#at = at;
  }

  get done(): boolean {
    return this.#at >= this.#frame.length;
  }

  byte(): number {
    return this.bytes(1)[0] ?? 0;
  }

  uint16(): number {
    return this.bytes(2).readUInt16BE(0);
  }

  int32(): number {
    return this.bytes(4).readInt32BE(0);
  }

  bytes(length: number): Buffer {
    if (length < 0 || this.#at + length > this.#frame.length) {
      throw new ProtocolError("a message is shorter than its fields");
    }
    this.#at += length;
    return this.#frame.subarray(this.#at - length, this.#at);
  }

  text(): string {
    const end = this.#frame.indexOf(0, this.#at);
    if (end < 0) throw new ProtocolError("a text in a message has no end");
    const text = this.#frame.toString("utf8", this.#at, end);
    this.#at = end + 1;
    return text;
  }
}

/** A message of the protocol: its type, which is one letter, its length and its body. */
export function frame(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

/** An ErrorResponse, with which the proxy itself refuses something. */
export function errorFrame(severity: "ERROR" | "FATAL", sqlstate: string, text: string): Buffer {
  const fields = [`S${severity}`, `V${severity}`, `C${sqlstate}`, `M${text}`, ""];
  return frame("E", Buffer.from(`${fields.join("\0")}\0`));
}

/** Writes messages to a socket at once. Does nothing if it is closed, or not there yet. */
export function send(socket: Duplex | undefined, frames: readonly Buffer[]): void {
  const [first] = frames;
  if (first === undefined || socket === undefined || socket.destroyed) return;
  socket.write(frames.length === 1 ? first : Buffer.concat(frames));
}
