import type { Snapshot } from "./execution.ts";
import type { Violation } from "./verdict.ts";

/** A predicate over committed state. `check` returns its violations; none if it holds. */
export interface Invariant {
  readonly name: string;
  readonly description: string;
  check(snapshot: Snapshot): readonly Violation[];
}
