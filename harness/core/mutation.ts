/** How a schema is changed. */
export type MutationKind =
  | "drop-constraint"
  | "drop-not-null"
  | "drop-index"
  | "drop-trigger"
  | "strip-lock"
  | "delete-statement"
  | "negate-condition"
  | "weaken-isolation";

/** A single change of a schema, derived from the schema itself. */
export interface DerivedMutant {
  /**
   * What is changed, in words: stable for as long as that part of the schema is, and unique.
   * Reviewed files name mutants by it.
   */
  readonly id: string;
  readonly kind: MutationKind;
  /** The constraint, index, trigger or routine. */
  readonly object: string;
  /** Of a routine's source, from 1; null for what is no routine. */
  readonly line: number | null;
  /** The statement or definition that is changed, in one line; of one with others in it, its head. */
  readonly statement: string;
  /** The changed part, in one line, and what stands there instead; empty where it is gone. */
  readonly before: string;
  readonly after: string;
  /** Applies it to a database with the schema, as a script of SQL. */
  readonly ddl: string;
}

/** A part of a schema that could not be mutated, and why: nothing is left out in silence. */
export interface Unmutated {
  readonly object: string;
  readonly reason: string;
}
