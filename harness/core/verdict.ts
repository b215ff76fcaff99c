import type { Snapshot } from "./execution.ts";
import type { JsonObject } from "./json.ts";
import type { OrderDifference } from "./order-difference.ts";

/** A violated rule: a finding about the service, never an exception. */
export interface Violation {
  /** The name of the checker that found it, such as `invariant`. */
  readonly checker: string;
  /** The name of the invariant or the rule. It is stable, so that shrinking can follow one rule. */
  readonly name: string;
  /** One sentence for a reader. */
  readonly message: string;
  /** The rows or operations that show it. */
  readonly evidence: readonly JsonObject[];
  /**
   * What the violation is about, such as the names of tables: two races of the same operations may break the
   * same rule. Default: its rule says it all.
   */
  readonly about?: readonly string[];
  /** Where no serial order explains an execution: how it differs from serial orders, the nearest first. */
  readonly orders?: readonly OrderDifference[];
}

/** A predicate over committed state. `check` returns its violations; none if it holds. */
export interface Invariant {
  readonly name: string;
  readonly description: string;
  /** The query that must return no rows, if it is one. */
  readonly sql?: string;
  check(snapshot: Snapshot): readonly Violation[];
}

/**
 * The verdict of a campaign. `unknown`: it was interrupted, ran out of time, or could not check every
 * execution. A `Campaign` says how much was explored.
 */
export type Verdict = "pass" | "fail" | "unknown";
