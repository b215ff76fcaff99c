import type { JsonObject } from "./json.ts";

/** What broke: a finding, never an exception. */
export interface Violation {
  /** Which checker found it: `invariant` or `contract`. */
  readonly checker: string;
  /** The name of the invariant or of the rule. Stable, so that shrinking keeps to one violation. */
  readonly name: string;
  /** One sentence for a reader. */
  readonly message: string;
  /** The rows or operations that show it. */
  readonly evidence: readonly JsonObject[];
}

/**
 * `unknown` is what was interrupted, timed out, or could not be checked; it is never a `pass`.
 * Always together with how much was explored (see `Campaign`).
 */
export type Verdict = "pass" | "fail" | "unknown";
