import type { Connection, Submittable } from "pg";

/**
 * A statement of one integer and one column that the session has prepared, for a client of `pg`, which
 * takes this in place of a query of its own. It asks for no description and builds no rows: for what
 * is executed at every step, that is most of what a query costs here.
 */
export class Prepared implements Submittable {
  /** The value of the last row, as text. Rejects with what the server says, or `pg`. */
  readonly answer: Promise<string | null>;
  readonly #bytes: Buffer;
  #value: string | null = null;
  #resolve: (value: string | null) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(statement: string, argument: number) {
    this.#bytes = frames(statement, argument);
    this.answer = new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
    });
  }

  submit({ stream }: Connection): void {
    stream.write(this.#bytes);
  }

  handleDataRow({ fields: [value = null] }: { readonly fields: (string | null)[] }): void {
    this.#value = value;
  }

  handleCommandComplete(): void {}

  handleError(error: unknown): void {
    this.#reject(error);
  }

  handleReadyForQuery(): void {
    this.#resolve(this.#value);
  }
}

/** Execute of the unnamed portal, all rows; and Sync. */
const EXECUTE_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);

/** Bind to the unnamed portal, with the argument in binary, and what it answers as text. */
function frames(statement: string, argument: number): Buffer {
  const name = Buffer.byteLength(statement);
  const bind = 5 + 1 + name + 1 + 16;
  const bytes = Buffer.alloc(bind + EXECUTE_SYNC.length);
  bytes.write("B");
  bytes.writeInt32BE(bind - 1, 1);
  let at = 6 + bytes.write(statement, 6) + 1;
  // One format, which is binary; one argument, of four bytes; and no formats of results.
  for (const field of [1, 1, 1]) at = bytes.writeInt16BE(field, at);
  at = bytes.writeInt32BE(4, at);
  at = bytes.writeInt32BE(argument, at);
  EXECUTE_SYNC.copy(bytes, bytes.writeInt16BE(0, at));
  return bytes;
}
