import type { WireGates } from "../instrumentation/gate-kind.ts";
import type { ProxySession } from "./pending-statement.ts";
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
  /** The next part can be sent at once. */
  readonly goesOn: boolean;
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

/** The tag of a statement that has written rows: the commit gate in the server holds its transaction. */
const WROTE_ROWS = /^(INSERT 0|UPDATE|DELETE|MERGE) [1-9]/;

type SessionState = Pick<ProxySession, "transaction" | "isolates">;

/** A request that the proxy sends in parts, with a gate between two of them. */
export class RequestParts {
  readonly #parts: Part[];
  /** Whether the service sent a simple query. */
  readonly #simple: boolean;
  #place: number | undefined;
  /** The number of messages that the server has still to answer before the gate. */
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
    if (session.transaction === "failed") return undefined;
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
    const progress = {
      hidden: this.#simple && EXTENDED_ONLY.includes(type),
      failed: type === "E",
      place: undefined,
      goesOn: false,
    };
    if (progress.failed) return progress;
    if (type === "C") this.#wroteRows ||= WROTE_ROWS.test(reply.toString("latin1", 5));
    if (LAST_OF_ANSWER.includes(type)) this.#unanswered--;
    if (this.#place === undefined || this.#unanswered > 0) return progress;
    const place = this.#place;
    this.#place = undefined;
    if (place === this.#commit && this.#wroteRows) return { ...progress, goesOn: true };
    return { ...progress, place };
  }
}

/** Each statement of a simple query as messages of the extended protocol, and one Sync at the end. */
function simpleParts(sql: string, wire: WireGates, session: SessionState): readonly Part[] {
  const { snapshot, message } = wire;
  const statements = message?.split(sql, session.transaction === "open") ?? [sql];
  // A parameter that a simple query cannot have: the error for it is another one at Bind.
  const isWhole = statements.length === 1 && /\$\d/.test(sql);
  const commit = isWhole ? undefined : commitPlace(sql, statements.length === 1, wire, session);
  const parts = statements.flatMap((text, index): Part[] => {
    const prepare = [parse(text), BIND, DESCRIBE_PORTAL];
    const run = [EXECUTE, CLOSE_PORTAL];
    const place = index < statements.length - 1 ? message?.place : commit;
    return snapshot?.holds(text) && !isWhole
      ? [part(prepare, snapshot.place), part(run, place)]
      : [part([...prepare, ...run], place)];
  });
  return commit === undefined ? parts : [...parts, part([], undefined)];
}

/** A batch of the extended protocol, cut after each Execute, or before a single one. */
function batchParts(
  { bytes, statement: { sql } }: Request,
  wire: WireGates,
  session: SessionState,
): readonly Part[] {
  const { snapshot, message } = wire;
  const executes = bytes.flatMap((it, index) => (typeOf(it) === "E" ? [index] : []));
  const [first = 0] = executes;
  if (typeOf(bytes.at(-1)) !== "S") return [];
  const body = bytes.slice(0, -1);
  if (executes.length === 1) {
    const binds = bytes.slice(0, first).some((it) => typeOf(it) === "B");
    const cuts = binds && snapshot?.holds(sql) ? [{ at: first, place: snapshot.place }] : [];
    return partsOf(body, cuts, commitPlace(sql, true, wire, session));
  }
  if (message === undefined || /\bcopy\b/i.test(sql)) return [];
  const cuts = executes.slice(0, -1).map((at) => ({ at: at + 1, place: message.place }));
  return partsOf(body, cuts, commitPlace(sql, false, wire, session));
}

/** The messages, cut before those with the given numbers, and before the Sync if it has a place. */
function partsOf(
  body: readonly Buffer[],
  cuts: readonly { readonly at: number; readonly place: number }[],
  commit: number | undefined,
): readonly Part[] {
  const ends = [...cuts, { at: body.length, place: commit }];
  const parts = ends.map(({ at, place }, index) =>
    part(body.slice(ends[index - 1]?.at, at), place),
  );
  return commit === undefined ? parts : [...parts, part([], undefined)];
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

function part(frames: readonly Buffer[], place: number | undefined): Part {
  return { frames: [...frames, place === undefined ? SYNC : FLUSH], place };
}

function parse(sql: string): Buffer {
  return frame("P", Buffer.from(`\0${sql}\0\0\0`));
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
