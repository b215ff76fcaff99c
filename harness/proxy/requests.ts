import type { Statement } from "../core/trace.ts";
import { FieldReader, ProtocolError } from "./frames.ts";

/**
 * A simple query, or an extended batch up to its Sync. The proxy holds and releases it as a whole and
 * does not change its bytes. What the service sends in the middle of it (after a Flush, or the data of a
 * COPY) is a part of it that comes later.
 */
export interface Request {
  readonly bytes: Buffer[];
  /** Parts that come later add to it. */
  readonly statement: Statement;
}

/** A request that is not complete yet. */
interface OpenRequest {
  readonly statement: { sql: string; readonly values: (string | null)[] };
  /** The texts that the statement has already. */
  readonly texts: Set<string>;
}

/** The meaning of a service's message. `more` belongs to a request that is not complete. */
export type Intake =
  | { readonly type: "more" }
  | { readonly type: "request"; readonly request: Request }
  /** A later part of the last request. */
  | { readonly type: "part" }
  | { readonly type: "terminate" }
  | { readonly type: "unsupported"; readonly what: string };

interface Bound {
  readonly sql: string;
  readonly values: readonly (string | null)[];
}

/** The longest batch, in bytes: a service that never sends a Sync must not fill the memory. */
const MAX_BATCH = 256 * 1024 * 1024;

const MORE: Intake = { type: "more" };
const PART: Intake = { type: "part" };

/** CopyData, CopyDone and CopyFail. */
const COPY = "dcf";

/** Assembles the messages of the service in one session into requests, and reads their SQL. */
export class RequestReader {
  readonly #prepared = new Map<string, string>();
  readonly #portals = new Map<string, Bound>();
  #batch: Buffer[] = [];
  #size = 0;
  #executed: Bound[] = [];
  #parsed: string[] = [];
  /** The request during which the server and the service exchange messages, if there is one. */
  #open: OpenRequest | undefined;
  #simple = false;

  /** Whether the service may wait for messages in the middle of a request. */
  get talking(): boolean {
    return this.#open !== undefined;
  }

  /** The server asks for the data of a COPY. */
  copyIn(): void {
    this.#open = { statement: { sql: "", values: [] }, texts: new Set() };
  }

  /** The server has answered the last request. */
  answered(): void {
    this.#open = undefined;
  }

  take(frame: Buffer): Intake {
    const type = String.fromCharCode(frame[0] ?? 0);
    if (type === "F") return { type: "unsupported", what: "the function-call protocol" };
    if (type === "X") return { type: "terminate" };
    if (this.#open !== undefined) return this.#part(type, frame, this.#open);
    // The data of a COPY that has failed. The server would ignore it.
    if (COPY.includes(type)) return MORE;
    if (type === "Q") return this.#query(frame);
    if (type === "H" && this.#batch.length === 0) return MORE;
    this.#batch.push(frame);
    this.#size += frame.length;
    if (this.#size > MAX_BATCH) throw new ProtocolError("a batch without a Sync is too large");
    this.#read(type, new FieldReader(frame));
    return type === "S" || type === "H" ? this.#finish(type === "H") : MORE;
  }

  #part(type: string, frame: Buffer, { statement, texts }: OpenRequest): Intake {
    if (!COPY.includes(type)) this.#read(type, new FieldReader(frame));
    for (const { sql, values } of this.#executed.splice(0)) {
      statement.values.push(...values);
      if (!texts.has(sql)) statement.sql += `; ${sql}`;
      texts.add(sql);
    }
    if (type === "S" || (this.#simple && "cf".includes(type))) this.#open = undefined;
    return PART;
  }

  #query(frame: Buffer): Intake {
    if (this.#batch.length > 0) {
      return { type: "unsupported", what: "a simple query in the middle of an extended batch" };
    }
    this.#simple = true;
    const sql = new FieldReader(frame).text();
    return { type: "request", request: { bytes: [frame], statement: { sql, values: [] } } };
  }

  #read(type: string, fields: FieldReader): void {
    switch (type) {
      case "P": {
        const name = fields.text();
        const sql = fields.text();
        this.#prepared.set(name, sql);
        this.#parsed.push(sql);
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
      case "H":
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

  /** After a Flush the driver waits for the messages of the server, and then continues. */
  #finish(flush: boolean): Intake {
    const bytes = this.#batch.splice(0);
    const executed = this.#executed.splice(0);
    const parsed = this.#parsed.splice(0);
    this.#size = 0;
    this.#simple = false;
    const texts = flush && executed.length === 0 ? parsed : executed.map((bound) => bound.sql);
    const sql = texts.join("; ");
    const values = executed.flatMap((bound) => bound.values);
    const statement = { sql: sql === "" ? "(prepare)" : sql, values };
    if (flush) this.#open = { statement, texts: new Set(texts) };
    return { type: "request", request: { bytes, statement } };
  }
}
