/** The name of a kind of gate: a place where Heddle can hold a client. */
export type GateName =
  | "statement"
  | "routine"
  | "row"
  | "commit"
  | "definition"
  | "snapshot"
  | "message"
  | "lock";

interface GateDescription {
  /** What the scheduler decides with these gates: a sentence of the reports. */
  readonly controls: string;
  /** How the gates stand there, and what one costs a statement that passes it. */
  readonly costs: string;
}

/** Every kind of gate. All are on by default; `--gates` narrows, and `statement` is always on. */
export const GATES: { readonly [name in GateName]: GateDescription } = {
  statement: {
    controls: "The order in which statements reach the database, over all clients and connections.",
    costs: "on the wire: a step for each request",
  },
  routine: {
    controls:
      "The order of the statements and conditions inside PL/pgSQL functions, procedures, triggers and DO blocks, and of the statements inside volatile SQL functions.",
    costs: "in the text of routines: a step for each statement that touches shared state",
  },
  row: {
    controls: "When a statement writes each of its rows, after its snapshot was taken.",
    costs: "in BEFORE ROW triggers: a step for each row",
  },
  commit: {
    controls:
      "When a transaction that wrote commits, after the last of its deferred triggers has run.",
    costs: "in a deferred trigger: a step for each transaction that writes",
  },
  definition: {
    controls: "When a statement that has changed the schema goes on to its commit.",
    costs: "in an event trigger: a step for each statement that changes the schema",
  },
  snapshot: {
    controls:
      "When a statement that writes, locks rows or calls volatile functions goes on after it has taken its snapshot.",
    costs: "in BEFORE STATEMENT triggers, and on the wire for SELECT: a step for each statement",
  },
  message: {
    controls: "The order of the statements that one message contains.",
    costs: "on the wire: a step for each statement of a message",
  },
  lock: {
    controls:
      "The order of the locks of one statement: the tables of LOCK TABLE, the rows that a query locks, the rows that foreign keys refer to.",
    costs: "on the wire, and in AFTER ROW triggers: a step for each lock",
  },
};

export const GATE_NAMES = Object.keys(GATES) as readonly GateName[];

/** An isolation level of PostgreSQL. */
export type Isolation = "read committed" | "repeatable read" | "serializable";
export const ISOLATIONS: readonly Isolation[] = [
  "read committed",
  "repeatable read",
  "serializable",
];

/** The name of an isolation level, with spaces or with hyphens. */
export type IsolationName = Isolation | "read-committed" | "repeatable-read";

/** The isolation level of that name, with spaces or with hyphens; undefined if there is none. */
export function isolationNamed(name: string): Isolation | undefined {
  return ISOLATIONS.find((level) => level === name.replaceAll("-", " "));
}

/** The settings that a schedule depends on: it replays only under the same settings. */
export interface Control {
  /** Where clients are held; always with `statement`. */
  readonly gates: readonly GateName[];
  /** The isolation level of transactions that do not set their own. */
  readonly isolation: Isolation;
  /** Observes committed state after each commit too. Default: only after the last operation. */
  readonly observe?: "each-commit";
  /** Starts the service, and loads the module of clients, anew for each execution. Default: false. */
  readonly fresh?: true;
  /**
   * The time, in ISO 8601, at which the clock stands for clients in this process, and for programs and services
   * on Node that Heddle starts; a seed determines their random numbers. Default: the clock and chance.
   */
  readonly freeze?: string;
}
