/** A change of a schema: a derived mutant, by its id; or another text in a routine's source. */
export type SchemaChange =
  | string
  | {
      readonly routine: string;
      /** As it stands in the source, once; and what becomes of it. */
      readonly text: string;
      readonly becomes: string;
    };

/** Something in a schema that keeps a promise. */
export interface Protection {
  /** Unique among those of its promise; short, for a table's head. */
  readonly name: string;
  /** How it protects, in a sentence. */
  readonly description: string;
  /** The changes that together take it away. */
  readonly without: readonly SchemaChange[];
}

/** What a service promises to whoever uses it, and what its schema does for that. */
export interface Promised {
  readonly name: string;
  /** In a sentence. */
  readonly statement: string;
  /** The rules of which each is a breach of it. */
  readonly rules: readonly { readonly checker: string; readonly name: string }[];
  readonly protections: readonly Protection[];
  /** The model's pairs of operations that can break it, by name. */
  readonly pairs: readonly string[];
}
