import type { ClientBase, QueryConfig, QueryResult } from "pg";
import { HarnessError } from "../core/error.ts";
import { GATE_CLASSES, GATE_SQLSTATE } from "./gate-function.ts";
import { Prepared } from "./prepared.ts";

/** Where a backend stands, as it says itself. */
export interface GatePlace {
  /** The number of a place, as it was given when the gates were installed. */
  readonly place: number;
  /** What the gate's lock is opened with. */
  readonly turn: Turn;
}

/** Which of a backend's two locks the harness holds. */
type Turn = 0 | 1;

/** Reads the fields of a NoticeResponse, by their codes; undefined when it is not of a gate. */
export function gatePlace(fields: ReadonlyMap<string, string>): GatePlace | undefined {
  if (fields.get("C") !== GATE_SQLSTATE || fields.get("V") !== "INFO") return undefined;
  const said = /^(-?\d+) ([01])$/.exec(fields.get("M") ?? "");
  return said === null ? undefined : { place: Number(said[1]), turn: said[2] === "0" ? 0 : 1 };
}

/**
 * Holds and opens the gates of backends, over a connection to their database that nobody else uses
 * for locks. While a backend stands at a gate, `pg_blocking_pids` names that connection.
 */
export class GateLocks {
  #client: ClientBase;
  readonly #turns = new Map<number, Turn>();
  /** Settles when the question before is answered: the connection takes one at a time. */
  #idle: Promise<unknown> = Promise.resolve();
  #prepared = false;

  constructor(client: ClientBase) {
    this.#client = client;
  }

  /** The server was killed, and no backend nor lock is left; from now on over another connection. */
  use(client: ClientBase): void {
    this.#client = client;
    this.#turns.clear();
    this.#prepared = false;
  }

  /** From now on the backend waits at each gate. It must not be inside a gated routine. */
  async arm(pid: number): Promise<void> {
    if (this.#turns.has(pid)) return;
    this.#turns.set(pid, 0);
    if (!this.#prepared) {
      this.#prepared = true;
      this.#query({ text: PREPARE }).catch(() => {});
    }
    await this.#query({ ...ARM, values: [pid] });
  }

  /**
   * Lets the backend go on from the gate at which it said that it stands, to its next one. One
   * round trip. The session must be sent nothing more before it is done: a backend that a cancel
   * or a timeout took away from this gate must not come to another one meanwhile.
   * @throws HarnessError UNSUPPORTED when the backend does not stand there: somebody else uses the
   * harness's locks.
   */
  async open(pid: number, turn: Turn): Promise<void> {
    if (this.#turns.get(pid) !== turn) throw foreign(pid);
    this.#turns.set(pid, turn === 0 ? 1 : 0);
    const opened = this.#inTurn(() => this.#client.query(new Prepared(OPEN[turn], pid)).answer);
    if ((await opened) !== "t") throw foreign(pid);
  }

  #query(question: QueryConfig): Promise<QueryResult> {
    return this.#inTurn(() => this.#client.query(question));
  }

  #inTurn<T>(ask: () => Promise<T>): Promise<T> {
    const answer = this.#idle.then(ask);
    this.#idle = answer.catch(() => {});
    return answer;
  }

  /** The backend, if it stands at a gate, goes on, and passes all further gates. */
  async disarm(pid: number): Promise<void> {
    const turn = this.#turns.get(pid);
    if (turn === undefined) return;
    this.#turns.delete(pid);
    await this.#query({ ...DISARM[turn], values: [pid] });
  }
}

const ARM = { name: "heddle-arm", text: `select pg_advisory_lock(${GATE_CLASSES[0]}, $1)` };

const OPEN = ["heddle_open_0", "heddle_open_1"] as const;

/** It only tries, so that a lock that somebody else holds cannot make the harness hang. */
const opening = (turn: Turn) => `prepare ${OPEN[turn]} (integer) as
  select case when pg_try_advisory_lock(${GATE_CLASSES[turn === 0 ? 1 : 0]}, $1)
              then pg_advisory_unlock(${GATE_CLASSES[turn]}, $1) end`;

const PREPARE = `${opening(0)}; ${opening(1)}`;

const disarming = (turn: Turn) => ({
  name: `heddle-disarm-${turn}`,
  text: `select pg_advisory_unlock(${GATE_CLASSES[turn]}, $1)`,
});

const DISARM = [disarming(0), disarming(1)] as const;

function foreign(pid: number): HarnessError {
  return new HarnessError(
    "UNSUPPORTED",
    `the gate of backend ${pid} could not be opened: something else uses the advisory locks of ` +
      `class ${GATE_CLASSES.join(" or ")}, or a gate was opened that nobody stood at`,
  );
}
