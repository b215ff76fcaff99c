import type { Provenance } from "../explorer/campaign.ts";
import type { Survivor } from "../service/service.ts";

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
  /** The routine whose source is changed, with its arguments' types; null for what is no routine. */
  readonly routine: string | null;
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

/** A mutant whose DDL, or whose routine, the server refuses. */
export interface InvalidMutant {
  readonly mutant: DerivedMutant;
  /** What the server says. */
  readonly reason: string;
}

/** What became of a mutant. */
export interface MutantResult {
  readonly mutant: DerivedMutant;
  /** `unknown`: the harness could not run it, or not checker it. */
  readonly outcome: "caught" | "survived" | "unknown";
  /** The first rule that was broken. */
  readonly by: { readonly checker: string; readonly name: string; readonly message: string } | null;
  /** Preemptions of the execution that broke it. */
  readonly preemptions: number | null;
  /** Why it is unknown; of a survivor, what people found out. */
  readonly reason: string | null;
  /** Of a survivor, if people have looked at it. */
  readonly verdict: Survivor["verdict"] | null;
  readonly executions: number;
  readonly elapsedMs: number;
}

/** How many of a schema's mutants the checks notice. */
export interface MutationScore extends Provenance {
  readonly service: string;
  readonly seed: number;
  /** Caught, equivalent or tested, of all mutants: 0 to 1. */
  readonly score: number;
  readonly results: readonly MutantResult[];
  /** How many others were left out: some were asked for, or it was interrupted. */
  readonly untried: number;
  readonly invalid: readonly InvalidMutant[];
  readonly unmutated: readonly Unmutated[];
  /** Statements about survivors that are wrong: of mutants that are caught, or that there are not. */
  readonly misclassified: readonly Survivor[];
  readonly executions: number;
  readonly elapsedMs: number;
}
