import type { ClientBase } from "pg";
import type { GateLevel } from "../core/control.ts";
import type { Place } from "../core/trace.ts";

/**
 * A kind of gate inside the server. To add one, write a file with its installation and removal, and
 * add it to the list in inner-gates.ts; its level must be a `GateLevel`.
 *
 * A gate stops a backend by calling `heddle.gate(number)` (gate-function.ts). It must not change
 * any outcome: with its gate open, a statement has the effects that it has without the gate.
 */
export interface GateKind {
  /** The value of `--gates` that installs this kind. */
  readonly level: Exclude<GateLevel, "statement">;
  /**
   * Installs the gates in a migrated, disposable database. The gate function already exists. The
   * gates are numbered consecutively from `first`, in the same order for the same schema. The
   * client must be a superuser or the owner of the schema's objects.
   */
  install(client: ClientBase, first: number): Promise<InstalledGates>;
  /** Restores the schema objects as they were before `install`. */
  remove(client: ClientBase): Promise<void>;
}

/** What a kind installed, and what it could not instrument. */
export interface InstalledGates {
  /** In the order of the gates' numbers. */
  readonly places: readonly Place[];
  readonly uninstrumented: readonly UninstrumentedRoutine[];
}

/** A routine that runs in one step although the gates inside routines are on. */
export interface UninstrumentedRoutine {
  /** As `regprocedure` prints it. */
  readonly routine: string;
  /** A clause such as `it is written in SQL`. */
  readonly reason: string;
}
