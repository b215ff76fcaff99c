/**
 * How deep control goes. `statement`: between statements on the wire, always. `routine`: between
 * the statements of PL/pgSQL routines as well. `row`: before each row that a statement writes.
 */
export type GateLevel = "statement" | "routine" | "row";

export const GATE_LEVELS: readonly GateLevel[] = ["statement", "routine", "row"];

export type Isolation = "read committed" | "repeatable read" | "serializable";

export const ISOLATIONS: readonly Isolation[] = [
  "read committed",
  "repeatable read",
  "serializable",
];

/** Settings that decide what a schedule means: it replays under the same ones only. */
export interface Control {
  readonly gates: readonly GateLevel[];
  /** Of transactions that do not say their own. */
  readonly isolation: Isolation;
  /** Committed state is observed after each commit too, and not only after the last operation. */
  readonly observe?: "each-commit";
}
