import type { JsonObject } from "../core/json.ts";
import type { Verdict } from "../core/verdict.ts";

/** The result of one check of a consistency function. */
export interface AuditCheck {
  /** The function that returned it, such as `verify_slot_consistency`. */
  readonly source: string;
  readonly name: string;
  readonly verdict: "pass" | "fail";
  readonly violations: number;
  /** The text of the function; null unless details are requested. */
  readonly details: string | null;
  /** Offending rows, up to the requested number. They hold only ids unless details are requested. */
  readonly offending: readonly JsonObject[];
}

/** The consistency of a database in one snapshot. */
export interface Audit {
  /** The server and the database, without a password. */
  readonly database: string;
  readonly postgres: string;
  /** ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly checks: readonly AuditCheck[];
}
