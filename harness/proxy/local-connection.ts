import { Duplex } from "node:stream";

/**
 * Creates a connection within this process, and returns its two ends: what is written to one is read
 * from the other, without a socket. They have the other methods that drivers call on a socket:
 * `connect` calls `onConnect` and then emits `connect`, and those that only concern sockets do nothing.
 */
export function localConnection(onConnect: () => void): { service: Duplex; gate: Duplex } {
  const service = new End(onConnect);
  const gate = new End(() => {});
  service.other = gate;
  gate.other = service;
  return { service, gate };
}

class End extends Duplex {
  other: End | undefined;
  readonly #onConnect: () => void;

  constructor(onConnect: () => void) {
    super({ allowHalfOpen: false });
    this.#onConnect = onConnect;
  }

  connect(): this {
    this.#onConnect();
    process.nextTick(() => this.emit("connect"));
    return this;
  }

  setNoDelay(): this {
    return this;
  }

  setKeepAlive(): this {
    return this;
  }

  ref(): this {
    return this;
  }

  unref(): this {
    return this;
  }

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.other?.push(chunk);
    done();
  }

  override _writev(chunks: { chunk: Buffer }[], done: () => void): void {
    this.other?.push(Buffer.concat(chunks.map(({ chunk }) => chunk)));
    done();
  }

  override _final(done: () => void): void {
    this.other?.push(null);
    done();
  }

  /** The other end gets the end of the stream, as from a socket that was closed. */
  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    const { other } = this;
    process.nextTick(() => {
      if (other !== undefined && !other.destroyed && !other.readableEnded) other.push(null);
    });
    done(error);
  }
}
