import type { JsonObject } from "../core/json.ts";
import type { Verdict } from "../core/verdict.ts";

/** The result of one check of a consistency function. */
export interface AuditCheck {
  /** The function that returned it, such as `verify_slot_consistency`. */
  readonly source: string;
  /** The name of the check, as the function returned it. */
  readonly name: string;
  readonly verdict: "pass" | "fail";
  /** The number of offending rows. */
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
  /** The server's version, such as `18.4`. */
  readonly postgres: string;
  /** When the audit began, in ISO 8601. */
  readonly startedAt: string;
  readonly elapsedMs: number;
  readonly verdict: Verdict;
  /** Why the verdict is `unknown`; null otherwise. */
  readonly reason: string | null;
  readonly checks: readonly AuditCheck[];
}
