import type { WireGates } from "../instrumentation/gate-kind.ts";
import { frame } from "./frames.ts";
import {
  BIND,
  bind,
  CLOSE_PORTAL,
  complete,
  DESCRIBE_PORTAL,
  EXECUTE,
  execute,
  FLUSH,
  limitOf,
  oneRow,
  parse,
  SYNC,
  typeOf,
} from "./messages.ts";
import type { ProxySession } from "./pending-statement.ts";
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
  /** The most rows that the query can have. */
  readonly most: number;
  /** The number of rows that it has. */
  readonly sent: number;
  /** The place before which the request is held once there are no more rows, if any. */
  readonly end: number | undefined;
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

/**
 * The last message of the answer to each message of the extended protocol
 * (https://www.postgresql.org/docs/current/protocol-flow.html#PROTOCOL-FLOW-EXT-QUERY): ParseComplete,
 * BindComplete, CloseComplete, RowDescription, NoData, CommandComplete, EmptyQueryResponse and
 * PortalSuspended.
 */
const LAST_OF_ANSWER = "123TnCIs";
/** Those that a simple query does not have. */
const EXTENDED_ONLY = "123n";

/** The tag of a statement that has written rows: the commit gate in the server holds its transaction. */
const WROTE_ROWS = /^(INSERT 0|UPDATE|DELETE|MERGE) [1-9]/;

type SessionState = Pick<ProxySession, "transaction" | "isolates">;

/** A request that the proxy sends in parts, with a gate between two of them. */
export class RequestParts {
  readonly #parts: Part[];
  /** Whether the service sent a simple query. */
  readonly #simple: boolean;
  /** The part that the server works on. */
  #current: Part = { frames: [], place: undefined };
  /** The number of messages of this part that the server has still to answer. */
  #unanswered = 0;
  #wroteRows = false;
  /** The place before the Sync at which the server commits. */
  readonly #commit: number | undefined;

  private constructor(parts: readonly Part[], simple: boolean, commit: number | undefined) {
    this.#parts = [...parts];
    this.#simple = simple;
    this.#commit = commit;
  }

  /** Undefined for a request that has no gate in its middle. */
  static of(request: Request, wire: WireGates, session: SessionState): RequestParts | undefined {
    if (session.transaction === "failed" || hasNone(wire)) return undefined;
    const simple = typeOf(request.bytes[0]) === "Q";
    const parts = simple
      ? simpleParts(request.statement.sql, wire, session)
      : batchParts(request, wire, session);
    return parts.length < 2 ? undefined : new RequestParts(parts, simple, wire.commit?.place);
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
    if (type === "C") this.#wroteRows ||= WROTE_ROWS.test(reply.toString("latin1", 5));
    if (!LAST_OF_ANSWER.includes(type)) return { reply, send: [], place: undefined };
    this.#unanswered--;
    const passed = this.#passed(type, reply);
    if (this.#unanswered > 0) return { reply: passed, send: [], place: undefined };
    const { rows, place } = this.#current;
    if (rows !== undefined && type === "s" && rows.sent < rows.limit) {
      this.#parts.unshift(part([rows.execute], place, { rows }));
      const hasAll = rows.sent >= rows.most;
      return { reply: undefined, ...this.#goOn(hasAll ? undefined : place) };
    }
    const end = rows === undefined ? place : rows.end;
    // The gate in the server holds the commit of a transaction that wrote.
    const held = end === this.#commit && this.#wroteRows ? undefined : end;
    return { reply: passed, ...this.#goOn(held) };
  }

  /** Sends the next part at once, unless there is a place to hold the request before it. */
  #goOn(place: number | undefined): Omit<Progress, "reply"> {
    return { send: place === undefined ? this.next() : [], place };
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

function hasNone({ snapshot, commit, message, tables, rows }: WireGates): boolean {
  return !(snapshot || commit || message || tables || rows);
}

/** The request, with gates in the DO blocks of its texts: of a Query, or of each Parse. */
export function withBlockGates(request: Request, { blocks }: WireGates): Request {
  if (blocks === undefined) return request;
  const bytes = request.bytes.map((message) => {
    const type = typeOf(message);
    if (type !== "Q" && type !== "P") return message;
    // Parse has the name of the statement before its text.
    const start = type === "Q" ? 5 : message.indexOf(0, 5) + 1;
    const end = message.indexOf(0, start);
    const sql = message.toString("utf8", start, end);
    const gated = blocks.gated(sql);
    if (gated === sql) return message;
    const body = [message.subarray(5, start), Buffer.from(gated), message.subarray(end)];
    return frame(type, Buffer.concat(body));
  });
  return { ...request, bytes };
}

/** Each statement of a simple query as messages of the extended protocol, and one Sync at the end. */
function simpleParts(sql: string, wire: WireGates, session: SessionState): Part[] {
  const { snapshot, message, tables, rows, blocks } = wire;
  const inBlock = session.transaction === "open";
  const statements = message?.split(sql, inBlock) ?? [sql];
  const single = statements.length === 1;
  // A parameter that a simple query cannot have: the error for it is another one at Bind.
  const isGated = (text: string) => !/\$\d/.test(text);
  const commit = single && !isGated(sql) ? undefined : commitPlace(sql, single, wire, session);
  const parts = statements.flatMap((text, index): Part[] => {
    const isLast = index === statements.length - 1;
    return [
      ...ownParts(tables, text, inBlock || !single),
      ...executeParts({
        before: [parse(blocks?.gated(text) ?? text), BIND, DESCRIBE_PORTAL],
        execute: EXECUTE,
        after: [CLOSE_PORTAL],
        snapshot: isGated(text) && snapshot?.holds(text) ? snapshot.place : undefined,
        rows: isGated(text) ? rowsOf(rows, text, EXECUTE) : undefined,
        end: isLast ? endAt(commit) : { place: message?.place, isLast: false },
      }),
    ];
  });
  return [...parts, ...syncAfter(commit)];
}

/** A batch of the extended protocol, cut after each Execute, or around a single one. */
function batchParts(
  { bytes, statement: { sql } }: Request,
  wire: WireGates,
  session: SessionState,
): readonly Part[] {
  const { snapshot, message, tables, rows } = wire;
  const executes = bytes.flatMap((it, index) => (typeOf(it) === "E" ? [index] : []));
  const [first = 0] = executes;
  if (typeOf(bytes.at(-1)) !== "S") return [];
  const body = bytes.slice(0, -1);
  if (executes.length === 1) {
    const [before, execute] = [body.slice(0, first), body[first] ?? EXECUTE];
    const binds = before.some((it) => typeOf(it) === "B");
    const own = binds ? ownParts(tables, sql, session.transaction === "open") : [];
    const held = binds && snapshot?.holds(sql) ? snapshot.place : undefined;
    const byRow = binds ? rowsOf(rows, sql, execute) : undefined;
    const commit = commitPlace(sql, true, wire, session);
    const run = { execute, after: body.slice(first + 1), rows: byRow, end: endAt(commit) };
    const parts =
      own.length === 0
        ? executeParts({ ...run, before, snapshot: held })
        : [
            part(before, held),
            ...own,
            ...executeParts({ ...run, before: [], snapshot: undefined }),
          ];
    return [...parts, ...syncAfter(commit)];
  }
  if (message === undefined || /\bcopy\b/i.test(sql)) return [];
  const commit = commitPlace(sql, false, wire, session);
  const parts = executes.map((at, index) => {
    const isLast = index === executes.length - 1;
    const from = index === 0 ? 0 : (executes[index - 1] ?? 0) + 1;
    const frames = body.slice(from, isLast ? undefined : at + 1);
    return isLast ? ending(frames, endAt(commit)) : part(frames, message.place);
  });
  return [...parts, ...syncAfter(commit)];
}

/** The place before the Sync of a request, if it matters when the server commits there. */
function commitPlace(
  sql: string,
  single: boolean,
  { commit }: WireGates,
  { transaction, isolates }: SessionState,
): number | undefined {
  if (commit === undefined || transaction !== "idle") return undefined;
  const serializable = commit.serializable || isolates;
  return commit.holds(sql, { serializable, single }) ? commit.place : undefined;
}

/** The end of the last statement: before its Sync, which is a part of its own where the commit is held. */
function endAt(commit: number | undefined): StatementMessages["end"] {
  return { place: commit, isLast: commit === undefined };
}

function syncAfter(commit: number | undefined): Part[] {
  return commit === undefined ? [] : [last([])];
}

/** The messages of one statement, and where it is held. */
interface StatementMessages {
  readonly before: readonly Buffer[];
  readonly execute: Buffer;
  readonly after: readonly Buffer[];
  /** The place between its snapshot and its first row. */
  readonly snapshot: number | undefined;
  /** The place between two rows, and the most of them. */
  readonly rows: { readonly place: number; readonly most: number } | undefined;
  readonly end: { readonly place: number | undefined; readonly isLast: boolean };
}

function executeParts({ before, execute, after, snapshot, rows, end }: StatementMessages): Part[] {
  const head = snapshot === undefined ? [] : [part(before, snapshot)];
  const unsent = snapshot === undefined ? before : [];
  if (rows === undefined) return [...head, ending([...unsent, execute, ...after], end)];
  const [one, limit] = [oneRow(execute), limitOf(execute)];
  // Without messages after it, the server has nothing more to answer before the end.
  const isEnd = after.length === 0 && !end.isLast;
  const byRow: Rows = {
    ...{ execute: one, limit: limit === 0 ? Number.POSITIVE_INFINITY : limit },
    ...{ most: rows.most, sent: 0 },
    end: isEnd ? end.place : undefined,
  };
  const run = part([...unsent, one], rows.place, { rows: byRow });
  return [...head, run, ...(isEnd ? [] : [ending(after, end)])];
}

/** Undefined for an Execute of one row at most. */
function rowsOf(rows: WireGates["rows"], sql: string, execute: Buffer): StatementMessages["rows"] {
  const most = rows?.most(sql) ?? 0;
  if (rows === undefined || most < 2 || limitOf(execute) === 1) return undefined;
  return { place: rows.place, most };
}

function ending(frames: readonly Buffer[], { place, isLast }: StatementMessages["end"]): Part {
  return isLast ? last(frames) : part(frames, place);
}

/** The statements of the proxy's own that take the first locks of a statement, each before a gate. */
function ownParts(tables: WireGates["tables"], sql: string, inBlock: boolean): Part[] {
  if (tables === undefined || !inBlock) return [];
  const close = ["P", "S"].map((kind) => frame("C", Buffer.from(`${kind}${OWN}\0`)));
  return tables
    .before(sql)
    .map((text) =>
      part([parse(text, OWN), bind(OWN), execute(OWN, 0), ...close], tables.place, { own: true }),
    );
}

/** The name of the proxy's own statements and portals. */
const OWN = "heddle lock";

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
