import type { Response } from "../core/history.ts";
import type { DefinedOperation } from "./operation-definition.ts";
import type { RelatedRows } from "./related-rows.ts";
import type { ReferencedRows } from "./row-reference.ts";
import type { ClientQuery } from "./scenario-definition.ts";

/** An operation that succeeded after a prefix. */
export interface Success {
  readonly prefix: readonly DefinedOperation[];
  readonly operation: DefinedOperation;
}

/** Runs operations of a service serially, past every gate. */
export interface SerialProbe {
  /** Reads and changes the database directly. */
  readonly query: ClientQuery;
  /** Puts the database into the state after the setup. */
  restore(): Promise<void>;
  /** Puts the database into the state after a prefix. The result are the rows that references are drawn from. */
  reach(prefix: readonly DefinedOperation[]): Promise<ReferencedRows>;
  /** The rows that references are drawn from now. */
  rows(): Promise<ReferencedRows>;
  /** The rows that belong to others, in the database as it is now. */
  readonly related: Pick<RelatedRows, "related">;
  /** @param rows those that references are drawn from. Default: those of the moment. */
  perform(operation: DefinedOperation, rows?: ReferencedRows): Promise<Response>;
}
