/**
 * Where Heddle can hold a client. `statement`: between statements on the wire; this level is always
 * on. `routine`: also between the statements of PL/pgSQL routines. `row`: also before each row that a
 * statement writes.
 */
export type GateLevel = "statement" | "routine" | "row";

export const GATE_LEVELS: readonly GateLevel[] = ["statement", "routine", "row"];

/** An isolation level of PostgreSQL. */
export type Isolation = "read committed" | "repeatable read" | "serializable";

export const ISOLATIONS: readonly Isolation[] = [
  "read committed",
  "repeatable read",
  "serializable",
];

/** The settings that a schedule depends on: it replays only under the same settings. */
export interface Control {
  /** Where clients are held; always with `statement`. */
  readonly gates: readonly GateLevel[];
  /** The isolation level of transactions that do not set their own. */
  readonly isolation: Isolation;
  /** Observes committed state after each commit too. Default: only after the last operation. */
  readonly observe?: "each-commit";
}
