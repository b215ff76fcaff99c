import type { ClientBase, Connection, QueryConfig, QueryResult, Submittable } from "pg";
import { HarnessError } from "../core/error.ts";
import { GATE_CLASSES, GATE_SQLSTATE } from "./gate-function.ts";

/** Where a backend waits, as its INFO message reports it. */
export interface GatePlace {
  /** The number that the gate was installed with. */
  readonly place: number;
  /** Which lock the backend waits for: `GateLocks.open` needs it. */
  readonly parity: LockParity;
}

/** Which of a backend's two locks the harness holds. */
type LockParity = 0 | 1;

/**
 * Reads the message of a gate from the fields of a NoticeResponse, by their codes
 * (https://www.postgresql.org/docs/current/protocol-error-fields.html). Undefined for any other
 * message.
 */
export function gatePlace(fields: ReadonlyMap<string, string>): GatePlace | undefined {
  if (fields.get("C") !== GATE_SQLSTATE || fields.get("V") !== "INFO") return undefined;
  const match = /^(-?\d+) ([01])$/.exec(fields.get("M") ?? "");
  if (match === null) return undefined;
  return { place: Number(match[1]), parity: match[2] === "0" ? 0 : 1 };
}

/**
 * Holds and opens the gates of backends. The connection must lead to their database, and nothing
 * else may take advisory locks on it. `pg_blocking_pids` names it as the blocker of a backend that
 * waits at a gate.
 */
export class GateLocks {
  #client: ClientBase;
  readonly #parities = new Map<number, LockParity>();
  /** Settles when the last query has been answered: the connection takes one at a time. */
  #idle: Promise<unknown> = Promise.resolve();
  #prepared = false;
  /** The gates to open in the next query. */
  #toOpen: (OpenGate & { readonly done: (opened: Promise<readonly unknown[]>) => void })[] = [];

  constructor(client: ClientBase) {
    this.#client = client;
  }

  /** Continues on another connection after the server was killed, which left no backend or lock. */
  use(client: ClientBase): void {
    this.#client = client;
    this.#parities.clear();
    this.#prepared = false;
  }

  /** Makes the backend wait at each gate from now on. It must not be inside a gated routine. */
  async enable(pid: number): Promise<void> {
    if (this.#parities.has(pid)) return;
    this.#parities.set(pid, 0);
    if (!this.#prepared) {
      this.#prepared = true;
      this.#query({ text: PREPARE_OPEN }).catch(() => {});
    }
    await this.#query({ ...ENABLE, values: [pid] });
  }

  /**
   * Opens the gate at which the backend waits: it runs to its next gate. Takes one round trip. Gates that
   * are opened in the same turn of the event loop open in one query, so that their backends run at the
   * same time.
   *
   * The session must not be sent anything until then, because a backend that a cancel or a timeout
   * took away from this gate must not reach another one meanwhile.
   *
   * @throws HarnessError UNSUPPORTED when the backend does not wait at this gate, or when something
   * else uses the harness's locks.
   */
  async open(pid: number, parity: LockParity): Promise<void> {
    if (this.#parities.get(pid) !== parity) throw cannotOpen(pid);
    this.#parities.set(pid, other(parity));
    const { length } = this.#toOpen;
    if (length === 0) queueMicrotask(() => this.#openAll());
    const answers = new Promise<readonly unknown[]>((done) => {
      this.#toOpen.push({ pid, parity, done });
    });
    if ((await answers)[length] !== true) throw cannotOpen(pid);
  }

  #openAll(): void {
    const gates = this.#toOpen.splice(0);
    const opened = this.#whenIdle(() => this.#opened(gates));
    for (const { done } of gates) done(opened);
  }

  async #opened(gates: readonly OpenGate[]): Promise<readonly boolean[]> {
    const [first, ...others] = gates;
    if (first !== undefined && others.length === 0) {
      const query = new PreparedQuery(OPEN[first.parity], first.pid);
      return [(await this.#client.query(query).answer) === "t"];
    }
    const columns = gates.map(({ pid, parity }) => openGate(parity, String(pid)));
    const text = `select array[${columns.join(", ")}] as opened`;
    const { rows } = await this.#client.query<{ opened: boolean[] }>(text);
    return rows[0]?.opened ?? [];
  }

  /** Lets the backend pass the gate at which it waits, if any, and all later ones. */
  async disable(pid: number): Promise<void> {
    const parity = this.#parities.get(pid);
    if (parity === undefined) return;
    this.#parities.delete(pid);
    await this.#query({ ...DISABLE[parity], values: [pid] });
  }

  #query(query: QueryConfig): Promise<QueryResult> {
    return this.#whenIdle(() => this.#client.query(query));
  }

  #whenIdle<T>(send: () => Promise<T>): Promise<T> {
    const answer = this.#idle.then(send);
    this.#idle = answer.catch(() => {});
    return answer;
  }
}

/** A gate that is to be opened. */
interface OpenGate {
  readonly pid: number;
  readonly parity: LockParity;
}

function other(parity: LockParity): LockParity {
  return parity === 0 ? 1 : 0;
}

const ENABLE = { name: "heddle-enable", text: `select pg_advisory_lock(${GATE_CLASSES[0]}, $1)` };

/** The prepared statements that open a gate, by its parity. */
const OPEN = ["heddle_open_0", "heddle_open_1"] as const;

/** The lock is only tried: if another session holds it, the harness fails instead of hanging. */
const openGate = (parity: LockParity, pid: string) =>
  `case when pg_try_advisory_lock(${GATE_CLASSES[other(parity)]}, ${pid})
        then pg_advisory_unlock(${GATE_CLASSES[parity]}, ${pid}) end`;

const prepareOpen = (parity: LockParity) =>
  `prepare ${OPEN[parity]} (integer) as select ${openGate(parity, "$1")}`;

const PREPARE_OPEN = `${prepareOpen(0)}; ${prepareOpen(1)}`;

const disable = (parity: LockParity) => ({
  name: `heddle-disable-${parity}`,
  text: `select pg_advisory_unlock(${GATE_CLASSES[parity]}, $1)`,
});

const DISABLE = [disable(0), disable(1)] as const;

function cannotOpen(pid: number): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `the gate of backend ${pid} could not be opened: something else uses the advisory locks of ` +
      `class ${GATE_CLASSES.join(" or ")}, or the backend was not waiting at this gate`,
  );
}

/**
 * Executes a prepared statement with one integer parameter and one column. A client of `pg` accepts
 * it in place of a query of its own. It asks for no row description and builds no row objects,
 * which is most of what a query costs in the client; a gate is opened at every step.
 */
class PreparedQuery implements Submittable {
  /** The value of the last row as text. Rejects with the error of the server or of `pg`. */
  readonly answer: Promise<string | null>;
  readonly #bytes: Buffer;
  #value: string | null = null;
  #resolve: (value: string | null) => void = () => {};
  #reject: (error: unknown) => void = () => {};

  constructor(statement: string, parameter: number) {
    this.#bytes = bindAndExecute(statement, parameter);
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

/** Execute for the unnamed portal and all of its rows, and Sync. */
const EXECUTE_SYNC = Buffer.from([0x45, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0x53, 0, 0, 0, 4]);

/**
 * Bind to the unnamed portal with the parameter in binary and the result as text, then Execute and
 * Sync (https://www.postgresql.org/docs/current/protocol-message-formats.html).
 */
function bindAndExecute(statement: string, parameter: number): Buffer {
  const nameLength = Buffer.byteLength(statement);
  const bindLength = 5 + 1 + nameLength + 1 + 16;
  const bytes = Buffer.alloc(bindLength + EXECUTE_SYNC.length);
  bytes.write("B");
  bytes.writeInt32BE(bindLength - 1, 1);
  let at = 6 + bytes.write(statement, 6) + 1;
  // One parameter format, which is binary, and one parameter.
  for (const field of [1, 1, 1]) at = bytes.writeInt16BE(field, at);
  // The parameter's length and value.
  at = bytes.writeInt32BE(4, at);
  at = bytes.writeInt32BE(parameter, at);
  // No result formats: all columns as text.
  EXECUTE_SYNC.copy(bytes, bytes.writeInt16BE(0, at));
  return bytes;
}
