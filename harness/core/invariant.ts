import type { Snapshot } from "./execution.ts";
import type { Violation } from "./verdict.ts";

/** A predicate over committed state. Returns what broke it; nothing when it holds. */
export interface Invariant {
  readonly name: string;
  readonly description: string;
  check(snapshot: Snapshot): readonly Violation[];
}
