import { DatabaseError } from "pg";
import { HarnessError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import { addressOf, type Connection, connect } from "../postgres/connection.ts";
import type { Audit, AuditCheck } from "./audit-report.ts";
import { type CheckFunction, checkFunctions } from "./check-functions.ts";

export interface AuditOptions {
  /** The functions to run, by name; undefined: all of the form that `checkFunctions` describes. */
  readonly functions?: readonly string[] | undefined;
  /** Whether whole rows and words are wanted; otherwise nothing but ids leaves the database. */
  readonly details: boolean;
  /** Of each statement. What takes longer makes the audit `unknown`. */
  readonly statementTimeoutMs: number;
  /** The most offending rows of each check. */
  readonly rows: number;
}

/**
 * Runs a database's own consistency functions. It is safe on a production database: one read-only
 * transaction, one snapshot (repeatable read), a timeout for each statement and a short one for
 * locks; no harm is done but the reading. Each sort may take 64 MB, so that a million rows need not
 * go through files.
 * @throws HarnessError PROVIDER_FAILED when the database cannot be reached, CONNECTION_LOST when it
 * goes away meanwhile, USAGE when it has no such functions.
 */
export async function audit(url: string, options: AuditOptions): Promise<Audit> {
  const client = await connect(url);
  const began = performance.now();
  const startedAt = new Date().toISOString();
  try {
    const { rows } = await client.query(
      "select current_database() as name, current_setting('server_version') as version",
    );
    const checks: AuditCheck[] = [];
    const reason = await inSnapshot(client, options, async () => {
      for (const checked of await checkFunctions(client, options.functions)) {
        checks.push(...(await results(client, checked, options)));
      }
    });
    const failed = checks.some(({ verdict }) => verdict === "fail");
    return {
      database: `${addressOf(url)}/${rows[0]?.name}`,
      postgres: String(rows[0]?.version).split(" ")[0] ?? "",
      startedAt,
      elapsedMs: performance.now() - began,
      verdict: failed ? "fail" : reason === undefined ? "pass" : "unknown",
      reason: failed ? null : (reason ?? null),
      checks,
    };
  } finally {
    await client.end().catch(() => {});
  }
}

/** Resolves with what the server would not do, in its words. */
async function inSnapshot(
  client: Connection,
  { statementTimeoutMs }: AuditOptions,
  work: () => Promise<void>,
): Promise<string | undefined> {
  await client.query("begin transaction isolation level repeatable read read only");
  try {
    await client.query(
      `select set_config('statement_timeout', $1, true), set_config('lock_timeout', '1000', true),
              set_config('work_mem', '64MB', true),
              set_config('application_name', 'heddle audit', true)`,
      [String(Math.ceil(statementTimeoutMs))],
    );
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    if (!(error instanceof DatabaseError)) {
      const said = `The connection was lost during the audit: ${(error as Error).message}`;
      throw new HarnessError("CONNECTION_LOST", said, { cause: error });
    }
    return `${error.message} (SQLSTATE ${error.code})`;
  } finally {
    await client.query("rollback").catch(() => {});
  }
}

interface Row {
  readonly check_name: string;
  readonly status: string;
  readonly violations?: string | number;
  readonly details?: string;
}

async function results(
  client: Connection,
  { call, name, offending }: CheckFunction,
  options: AuditOptions,
): Promise<readonly AuditCheck[]> {
  const { rows } = await client.query<Row>(`select * from ${call}`);
  if (rows.length === 0) {
    throw new HarnessError("USAGE", `${name}() has no checks to tell of: it returned no row`);
  }
  const checks: AuditCheck[] = [];
  for (const { check_name, status, violations, details } of rows) {
    // Whatever does not say that all is well is no pass.
    const verdict = status === "PASS" ? "pass" : "fail";
    const found =
      verdict === "pass" || offending === undefined
        ? []
        : await offendingRows(client, offending, check_name, options);
    checks.push({
      source: name,
      name: check_name,
      verdict,
      violations: Number(violations ?? (verdict === "fail" ? 1 : 0)),
      details: options.details ? (details ?? null) : null,
      offending: found,
    });
  }
  return checks;
}

async function offendingRows(
  client: Connection,
  call: string,
  check: string,
  { details, rows: most }: AuditOptions,
): Promise<readonly JsonObject[]> {
  const { rows } = await client.query<{ found: JsonObject }>(
    `select to_jsonb(found) - 'check_name' as found from ${call} as found
      where check_name = $1 limit $2`,
    [check, most],
  );
  const isId = (key: string): boolean => key === "id" || key.endsWith("_id");
  return rows.map(({ found }) =>
    details ? found : Object.fromEntries(Object.entries(found).filter(([key]) => isId(key))),
  );
}
