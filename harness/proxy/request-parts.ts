import type { Result } from "../core/trace.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import type { Request } from "./requests.ts";

/** Messages for the server, with a Flush or a Sync at their end. */
interface Part {
  readonly frames: readonly Buffer[];
  /** The place before which the request is held once the server has answered the part. */
  readonly place: number | undefined;
}

/** What a message of the server means to a request that is sent in parts. */
interface Progress {
  /** The service does not get the message: it answers one that the proxy added. */
  readonly hidden: boolean;
  /** The server skips the rest of the request, up to its Sync. */
  readonly failed: boolean;
  /** The place that the request has reached with this message, if any. */
  readonly place: number | undefined;
}

const CLOSE_PORTAL = frame("C", Buffer.from("P\0"));
const DESCRIBE_PORTAL = frame("D", Buffer.from("P\0"));
/** The unnamed portal and statement; no formats, no parameters, all columns as text. */
const BIND = frame("B", Buffer.alloc(8));
const EXECUTE = frame("E", Buffer.alloc(5));
const FLUSH = frame("H", Buffer.alloc(0));
const SYNC = frame("S", Buffer.alloc(0));

/**
 * The last message of the answer to each message of the extended protocol
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY): ParseComplete,
 * BindComplete, CloseComplete, RowDescription, NoData, CommandComplete, EmptyQueryResponse and
 * PortalSuspended.
 */
const LAST_OF_ANSWER = "123TnCIs";
/** Those that a simple query does not have. */
const EXTENDED_ONLY = "123n";

/** A request that the proxy sends in parts, with a gate between two of them. */
export class RequestParts {
  readonly #parts: Part[];
  /** Whether the service sent a simple query. */
  readonly #simple: boolean;
  #place: number | undefined;
  /** The number of messages that the server has still to answer before the gate. */
  #unanswered = 0;

  private constructor(parts: readonly Part[], simple: boolean) {
    this.#parts = [...parts];
    this.#simple = simple;
  }

  /** Undefined for a request that has no gate in its middle. */
  static of(
    request: Request,
    wire: WireGates,
    transaction: Result["transaction"],
  ): RequestParts | undefined {
    if (transaction === "failed") return undefined;
    const simple = typeOf(request.bytes[0]) === "Q";
    const parts = simple
      ? simpleParts(request.statement.sql, wire, transaction === "open")
      : batchParts(request, wire);
    return parts.length < 2 ? undefined : new RequestParts(parts, simple);
  }

  /** The messages of the next part. */
  next(): readonly Buffer[] {
    const part = this.#parts.shift();
    if (part === undefined) return [];
    this.#place = part.place;
    // A Flush and a Sync have no answer of this kind.
    this.#unanswered = part.frames.length - 1;
    return part.frames;
  }

  /** All messages that the server does not have yet. */
  takeUnsent(): readonly Buffer[] {
    this.#place = undefined;
    return this.#parts.splice(0).flatMap(({ frames }) => frames);
  }

  take(reply: Buffer): Progress {
    const type = typeOf(reply);
    const hidden = this.#simple && EXTENDED_ONLY.includes(type);
    if (type === "E") return { hidden, failed: true, place: undefined };
    if (LAST_OF_ANSWER.includes(type)) this.#unanswered--;
    if (this.#place === undefined || this.#unanswered > 0) {
      return { hidden, failed: false, place: undefined };
    }
    const place = this.#place;
    this.#place = undefined;
    return { hidden, failed: false, place };
  }
}

/** Each statement of a simple query as messages of the extended protocol, and one Sync at the end. */
function simpleParts(
  sql: string,
  { snapshot, message, blocks }: WireGates,
  inBlock: boolean,
): Part[] {
  const statements = message?.split(sql, inBlock) ?? [sql];
  const parts = statements.flatMap((text, index): Part[] => {
    const prepare = [parse(blocks?.gated(text) ?? text), BIND, DESCRIBE_PORTAL];
    const run = [EXECUTE, CLOSE_PORTAL];
    const place = index < statements.length - 1 ? message?.place : undefined;
    // A parameter that a simple query cannot have: the error for it is another one at Bind.
    return snapshot?.holds(text) && !/\$\d/.test(text)
      ? [part(prepare, snapshot.place), part(run, place)]
      : [part([...prepare, ...run], place)];
  });
  return parts;
}

/** A batch of the extended protocol, cut after each Execute, or before a single one. */
function batchParts(
  { bytes, statement }: Request,
  { snapshot, message }: WireGates,
): readonly Part[] {
  const executes = bytes.flatMap((it, index) => (typeOf(it) === "E" ? [index] : []));
  const [first = 0] = executes;
  if (typeOf(bytes.at(-1)) !== "S") return [];
  const body = bytes.slice(0, -1);
  if (executes.length === 1) {
    const binds = bytes.slice(0, first).some((it) => typeOf(it) === "B");
    if (!binds || !snapshot?.holds(statement.sql)) return [];
    return [part(body.slice(0, first), snapshot.place), part(body.slice(first), undefined)];
  }
  if (message === undefined || /\bcopy\b/i.test(statement.sql)) return [];
  return executes.map((at, index) => {
    const last = index === executes.length - 1;
    const from = index === 0 ? 0 : (executes[index - 1] ?? 0) + 1;
    return part(body.slice(from, last ? undefined : at + 1), last ? undefined : message.place);
  });
}

function part(frames: readonly Buffer[], place: number | undefined): Part {
  return { frames: [...frames, place === undefined ? SYNC : FLUSH], place };
}

function parse(sql: string): Buffer {
  return frame("P", Buffer.from(`\0${sql}\0\0\0`));
}

export function frame(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

export function typeOf(message: Buffer | undefined): string {
  return String.fromCharCode(message?.[0] ?? 0);
}
