import type { JsonObject } from "../core/json.ts";
import type { Verdict } from "../core/verdict.ts";

/** What one check of a database's own consistency functions says. */
export interface AuditCheck {
  /** The function that it is a row of, such as `verify_slot_consistency`. */
  readonly source: string;
  readonly name: string;
  readonly verdict: "pass" | "fail";
  readonly violations: number;
  /** What the function says in words; null where only ids are asked for. */
  readonly details: string | null;
  /** The rows at fault, as many as are asked for; of each only the ids unless more is asked for. */
  readonly offending: readonly JsonObject[];
}

/** A look at a database's consistency, in one snapshot of it. */
export interface Audit {
  /** The server and the database, without a password. */
  readonly database: string;
  readonly postgres: string;
  /** When it began, ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly verdict: Verdict;
  /** Why it is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly checks: readonly AuditCheck[];
}
