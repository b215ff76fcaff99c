import type { Statement } from "../core/trace.ts";
import { FieldReader, ProtocolError } from "./frames.ts";

/**
 * What a service asks of the server in one go: a simple query, or an extended batch up to its
 * Sync. It is held and released as a whole, its bytes unchanged.
 */
export interface Request {
  readonly bytes: readonly Buffer[];
  readonly statement: Statement;
}

/** What a frontend message amounts to, for the gate. */
export type Intake =
  | { readonly type: "more" }
  | { readonly type: "request"; readonly request: Request }
  | { readonly type: "terminate" }
  | { readonly type: "unsupported"; readonly what: string };

interface Bound {
  readonly sql: string;
  readonly values: readonly (string | null)[];
}

const UNSUPPORTED: { readonly [type: string]: string } = {
  F: "the function-call protocol",
  H: "Flush (a driver that waits for answers in the middle of a batch)",
  d: "COPY",
  c: "COPY",
  f: "COPY",
};

/** Longest sum of messages before a Sync: a service that never sends one must not fill the memory. */
const MAX_BATCH = 256 * 1024 * 1024;

const MORE: Intake = { type: "more" };

/** Assembles the frontend messages of one session into requests, and reads the SQL in them. */
export class RequestReader {
  readonly #prepared = new Map<string, string>();
  readonly #portals = new Map<string, Bound>();
  #batch: Buffer[] = [];
  #size = 0;
  #executed: Bound[] = [];

  take(frame: Buffer): Intake {
    const type = String.fromCharCode(frame[0] ?? 0);
    const unsupported = UNSUPPORTED[type];
    if (unsupported !== undefined) return { type: "unsupported", what: unsupported };
    if (type === "X") return { type: "terminate" };
    if (type === "Q") return this.#simple(frame);
    this.#batch.push(frame);
    this.#size += frame.length;
    if (this.#size > MAX_BATCH) throw new ProtocolError("a batch without a Sync is too large");
    this.#read(type, new FieldReader(frame));
    return type === "S" ? this.#finish() : MORE;
  }

  #simple(frame: Buffer): Intake {
    if (this.#batch.length > 0) {
      return { type: "unsupported", what: "a simple query in the middle of an extended batch" };
    }
    const sql = new FieldReader(frame).text();
    return { type: "request", request: { bytes: [frame], statement: { sql, values: [] } } };
  }

  #read(type: string, fields: FieldReader): void {
    switch (type) {
      case "P": {
        const name = fields.text();
        this.#prepared.set(name, fields.text());
        return;
      }
      case "B":
        this.#bind(fields);
        return;
      case "E": {
        const portal = this.#portals.get(fields.text());
        if (portal !== undefined) this.#executed.push(portal);
        return;
      }
      case "C": {
        const map = fields.byte() === 0x53 ? this.#prepared : this.#portals;
        map.delete(fields.text());
        return;
      }
      case "D":
      case "S":
        return;
      default:
        throw new ProtocolError(`a message of the unknown type ${JSON.stringify(type)}`);
    }
  }

  #bind(fields: FieldReader): void {
    const portal = fields.text();
    const sql = this.#prepared.get(fields.text()) ?? "(a statement prepared before)";
    const formats = Array.from({ length: fields.uint16() }, () => fields.uint16());
    const values = Array.from({ length: fields.uint16() }, (_, index) => {
      const length = fields.int32();
      if (length === -1) return null;
      const value = fields.bytes(length);
      const binary = (formats.length === 1 ? formats[0] : formats[index]) === 1;
      return binary ? `\\x${value.toString("hex")}` : value.toString("utf8");
    });
    this.#portals.set(portal, { sql, values });
  }

  #finish(): Intake {
    const bytes = this.#batch;
    const executed = this.#executed;
    this.#batch = [];
    this.#size = 0;
    this.#executed = [];
    const sql = executed.map((bound) => bound.sql).join("; ");
    const values = executed.flatMap((bound) => bound.values);
    const statement = { sql: sql === "" ? "(prepare)" : sql, values };
    return { type: "request", request: { bytes, statement } };
  }
}
