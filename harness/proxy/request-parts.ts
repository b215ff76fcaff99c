import type { Result } from "../core/trace.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import { FieldReader } from "./frames.ts";
import type { Request } from "./requests.ts";

/** Messages for the server, with a Flush or a Sync at their end. */
interface Part {
  readonly frames: readonly Buffer[];
  /**
   * The place before which the request is held once the server has answered the part. If undefined, the
   * next part is sent at once.
   */
  readonly place: number | undefined;
  /** The messages are the proxy's own: the service gets none of their answers, except an error. */
  readonly own?: true;
  /** The last message executes a portal for one row. It is sent again until there are no more rows. */
  readonly rows?: Rows;
}

/** An Execute that the server gets row by row. */
interface Rows {
  /** The Execute for one row. */
  readonly execute: Buffer;
  /** The number of rows that the service asked for. */
  readonly limit: number;
  /** The number of rows that it has. */
  readonly sent: number;
}

/** What a message of the server means to a request that is sent in parts. */
interface Progress {
  /** What the service gets; undefined if the message answers one that the proxy added. */
  readonly reply: Buffer | undefined;
  /** What the server gets at once. */
  readonly send: readonly Buffer[];
  /** The place that the request has reached with this message, if any. */
  readonly place: number | undefined;
}

const CLOSE_PORTAL = frame("C", Buffer.from("P\0"));
const DESCRIBE_PORTAL = frame("D", Buffer.from("P\0"));
/** The unnamed portal and statement; no formats, no parameters, all columns as text. */
const BIND = frame("B", Buffer.alloc(8));
const EXECUTE = execute("", 0);
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
  /** The part that the server works on. */
  #current: Part = { frames: [], place: undefined };
  /** The number of messages of this part that the server has still to answer. */
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
    const inBlock = transaction === "open";
    const parts = simple
      ? simpleParts(request.statement.sql, wire, inBlock)
      : batchParts(request, wire, inBlock);
    return parts.length < 2 ? undefined : new RequestParts(parts, simple);
  }

  /** The messages of the next part. */
  next(): readonly Buffer[] {
    const part = this.#parts.shift();
    if (part === undefined) return [];
    this.#current = part;
    // A Flush and a Sync have no answer of this kind.
    this.#unanswered = part.frames.length - 1;
    return part.frames;
  }

  take(reply: Buffer): Progress {
    const type = typeOf(reply);
    // The server skips the rest of the request, up to its Sync.
    if (type === "E") {
      const rest = this.#parts.splice(0).flatMap(({ frames }) => frames);
      this.#current = { frames: [], place: undefined };
      return { reply, send: rest, place: undefined };
    }
    if (type === "D") this.#count();
    if (!LAST_OF_ANSWER.includes(type)) return { reply, send: [], place: undefined };
    this.#unanswered--;
    const passed = this.#passed(type, reply);
    if (this.#unanswered > 0) return { reply: passed, send: [], place: undefined };
    const { rows, place } = this.#current;
    if (rows !== undefined && type === "s" && rows.sent < rows.limit) {
      this.#parts.unshift(part([rows.execute], place, { rows }));
      return { reply: undefined, send: [], place };
    }
    const held = rows === undefined ? place : undefined;
    return { reply: passed, send: held === undefined ? this.next() : [], place: held };
  }

  #count(): void {
    const { rows } = this.#current;
    if (rows === undefined) return;
    this.#current = { ...this.#current, rows: { ...rows, sent: rows.sent + 1 } };
  }

  /** What the service gets of the last message of an answer. */
  #passed(type: string, reply: Buffer): Buffer | undefined {
    const { own, rows } = this.#current;
    if (own || (this.#simple && EXTENDED_ONLY.includes(type))) return undefined;
    // The server counts the rows of the last Execute alone.
    return type === "C" && rows !== undefined ? complete(`SELECT ${rows.sent}`) : reply;
  }
}

/** Each statement of a simple query as messages of the extended protocol, and one Sync at the end. */
function simpleParts(sql: string, wire: WireGates, inBlock: boolean): Part[] {
  const { snapshot, message, tables, rows } = wire;
  const statements = message?.split(sql, inBlock) ?? [sql];
  const inAnyBlock = inBlock || statements.length > 1;
  return statements.flatMap((text, index): Part[] => {
    const isLast = index === statements.length - 1;
    const end = isLast ? undefined : message?.place;
    const prepare = [parse(text), BIND, DESCRIBE_PORTAL];
    // A parameter that a simple query cannot have: the error for it is another one at Bind.
    const gated = !/\$\d/.test(text);
    return [
      ...ownParts(tables, text, inAnyBlock),
      ...executeParts({
        before: prepare,
        execute: EXECUTE,
        after: [CLOSE_PORTAL],
        snapshot: gated && snapshot?.holds(text) ? snapshot.place : undefined,
        rows: gated && rows?.holds(text) ? rows.place : undefined,
        end: { place: end, isLast },
      }),
    ];
  });
}

/** A batch of the extended protocol, cut after each Execute, or around a single one. */
function batchParts(
  { bytes, statement: { sql } }: Request,
  { snapshot, message, tables, rows }: WireGates,
  inBlock: boolean,
): readonly Part[] {
  const executes = bytes.flatMap((it, index) => (typeOf(it) === "E" ? [index] : []));
  const [first = 0] = executes;
  if (typeOf(bytes.at(-1)) !== "S") return [];
  const body = bytes.slice(0, -1);
  if (executes.length === 1) {
    const [before, execute] = [body.slice(0, first), body[first] ?? EXECUTE];
    if (!before.some((it) => typeOf(it) === "B")) return [];
    const own = ownParts(tables, sql, inBlock);
    const held = snapshot?.holds(sql) ? snapshot.place : undefined;
    const byRow = rows?.holds(sql) && limitOf(execute) !== 1 ? rows.place : undefined;
    if (own.length === 0 && held === undefined && byRow === undefined) return [];
    const run = { execute, after: body.slice(first + 1), snapshot: undefined, rows: byRow };
    const end = { place: undefined, isLast: true };
    return [part(before, held), ...own, ...executeParts({ ...run, before: [], end })];
  }
  if (message === undefined || /\bcopy\b/i.test(sql)) return [];
  return executes.map((at, index) => {
    const isLast = index === executes.length - 1;
    const from = index === 0 ? 0 : (executes[index - 1] ?? 0) + 1;
    const frames = body.slice(from, isLast ? undefined : at + 1);
    return isLast ? last(frames) : part(frames, message.place);
  });
}

/** The messages of one statement, and where it is held. */
interface Execution {
  readonly before: readonly Buffer[];
  readonly execute: Buffer;
  readonly after: readonly Buffer[];
  /** The place between its snapshot and its first row. */
  readonly snapshot: number | undefined;
  /** The place between two rows. */
  readonly rows: number | undefined;
  readonly end: { readonly place: number | undefined; readonly isLast: boolean };
}

function executeParts({ before, execute, after, snapshot, rows, end }: Execution): Part[] {
  const head = snapshot === undefined ? [] : [part(before, snapshot)];
  const unsent = snapshot === undefined ? before : [];
  const ending = (frames: readonly Buffer[]) =>
    end.isLast ? last(frames) : part(frames, end.place);
  if (rows === undefined) return [...head, ending([...unsent, execute, ...after])];
  const [one, limit] = [oneRow(execute), limitOf(execute)];
  const byRow = { rows: { execute: one, limit: limit === 0 ? Infinity : limit, sent: 0 } };
  return [...head, part([...unsent, one], rows, byRow), ending(after)];
}

/** The statements of the proxy's own that take the first locks of a statement, each before a gate. */
function ownParts(tables: WireGates["tables"], sql: string, inBlock: boolean): Part[] {
  if (tables === undefined || !inBlock) return [];
  const bind = frame("B", Buffer.from(`${OWN}\0${OWN}\0\0\0\0\0\0\0`));
  const close = ["P", "S"].map((kind) => frame("C", Buffer.from(`${kind}${OWN}\0`)));
  return tables
    .before(sql)
    .map((text) =>
      part([parse(text, OWN), bind, execute(OWN, 0), ...close], tables.place, { own: true }),
    );
}

/** The name of the proxy's own statements and portals. */
const OWN = "heddle";

function part(
  frames: readonly Buffer[],
  place: number | undefined,
  more: Pick<Part, "own" | "rows"> = {},
): Part {
  return { frames: [...frames, FLUSH], place, ...more };
}

/** The part that ends the request. */
function last(frames: readonly Buffer[]): Part {
  return { frames: [...frames, SYNC], place: undefined };
}

function parse(sql: string, name = ""): Buffer {
  return frame("P", Buffer.from(`${name}\0${sql}\0\0\0`));
}

function execute(portal: string, limit: number): Buffer {
  const body = Buffer.from(`${portal}\0\0\0\0\0`);
  body.writeInt32BE(limit, body.length - 4);
  return frame("E", body);
}

/** The Execute of the same portal for a single row. */
function oneRow(message: Buffer): Buffer {
  return execute(new FieldReader(message).text(), 1);
}

/** The number of rows that an Execute asks for; 0 for all. */
function limitOf(message: Buffer): number {
  return message.readInt32BE(message.length - 4);
}

function complete(tag: string): Buffer {
  return frame("C", Buffer.from(`${tag}\0`));
}

function frame(type: string, body: Buffer): Buffer {
  const header = Buffer.alloc(5);
  header.write(type);
  header.writeInt32BE(4 + body.length, 1);
  return Buffer.concat([header, body]);
}

function typeOf(message: Buffer | undefined): string {
  return String.fromCharCode(message?.[0] ?? 0);
}
