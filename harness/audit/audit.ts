import { DatabaseError } from "pg";
import { HarnessError } from "../core/error.ts";
import type { JsonObject } from "../core/json.ts";
import { addressOf, type Connection, connect } from "../postgres/connection.ts";
import type { Audit, AuditCheck } from "./audit-report.ts";
import { type CheckFunction, checkFunctions, refuseStrangers } from "./check-functions.ts";

/** What `audit` runs, and how much of the database it shows. */
export interface AuditOptions {
  /**
   * The names of the consistency functions to run, with or without their schemas. Default: every function
   * without parameters that returns a table with the columns `check_name` and `status`.
   */
  readonly functions?: readonly string[] | undefined;
  /** Whether to report whole rows and texts. Otherwise only ids leave the database. */
  readonly details: boolean;
  /** The limit for each statement, in ms. A slower one makes the verdict `unknown`. */
  readonly statementTimeoutMs: number;
  /** The maximum number of offending rows for each check. */
  readonly rows: number;
}

/**
 * Runs the consistency functions of a database. It is safe on a production database: it uses one
 * read-only transaction with one snapshot (repeatable read), a timeout for each statement, and a
 * timeout of 1 s for locks. Each sort can use 64 MB of memory, so that a million rows need no
 * temporary files. Its own statements find names in `pg_catalog` alone, and the check functions there
 * first: a function or an operator of another role, in a schema of the role's `search_path`, does not
 * replace a built-in one. A table whose row security hides rows from the role makes the verdict `unknown`,
 * since no check could see the others.
 *
 * @throws HarnessError `PROVIDER_FAILED` if the database cannot be reached, `CONNECTION_LOST` if the
 * connection ends during the audit, `USAGE` if the database has no such functions
 */
export async function audit(url: string, options: AuditOptions): Promise<Audit> {
  const client = await connect(url);
  const began = performance.now();
  const startedAt = new Date().toISOString();
  try {
    const usual = await pinSearchPath(client);
    const { rows } = await client.query(
      "select current_database() as name, current_setting('server_version') as version",
    );
    if (options.functions === undefined) await refuseRights(client);
    const checks: AuditCheck[] = [];
    const reason = await inSnapshot(client, options, async () => {
      const functions = await checkFunctions(client, options.functions);
      if (options.functions === undefined) await refuseStrangers(client, usual);
      await setSearchPath(client, usual);
      for (const checkFunction of functions) {
        checks.push(...(await runChecks(client, checkFunction, options)));
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

/**
 * Lets the session find names in `pg_catalog` alone. Returns the schemas in which the role finds names
 * otherwise, without those that are always searched.
 */
async function pinSearchPath(client: Connection): Promise<readonly string[]> {
  // Any unqualified name could be that of another role's function here.
  const { rows } = await client.query<{ path: readonly string[] }>(
    "select pg_catalog.current_schemas(false)::pg_catalog.text[] as path",
  );
  await client.query("set search_path = pg_catalog, pg_temp");
  return (rows[0]?.path ?? []).filter((schema) => !/^pg_(catalog$|temp)/.test(schema));
}

/** Until the end of the transaction, names are looked up in `pg_catalog`, then in these schemas. */
async function setSearchPath(client: Connection, schemas: readonly string[]): Promise<void> {
  const path = [
    "pg_catalog",
    ...schemas.map((schema) => client.escapeIdentifier(schema)),
    "pg_temp",
  ];
  await client.query("select set_config('search_path', $1, true)", [path.join(", ")]);
}

/**
 * Refuses a role that could do more than read although its transaction is read-only: with these rights a
 * function can run programs and access files of the server (COPY).
 */
async function refuseRights(client: Connection): Promise<void> {
  const { rows } = await client.query<{ right: string }>(
    `select case when rolsuper then 'a superuser' else 'a member of ' || right_name end as right
       from pg_roles,
            unnest(array['pg_execute_server_program', 'pg_write_server_files',
                         'pg_read_server_files']) right_name
      where rolname = current_user and pg_has_role(right_name, 'member')
      limit 1`,
  );
  const [first] = rows;
  if (first === undefined) return;
  throw new HarnessError(
    "USAGE",
    `the role is ${first.right}, and check functions would run with its rights: audit as a role that may only read, or name the functions to run with --check.`,
  );
}

/** Returns the error of the server that ended the work; undefined if the work completed. */
async function inSnapshot(
  client: Connection,
  { statementTimeoutMs }: AuditOptions,
  work: () => Promise<void>,
): Promise<string | undefined> {
  await client.query("begin transaction isolation level repeatable read read only");
  try {
    await client.query(
      `select set_config('statement_timeout', $1, true), set_config('lock_timeout', '1000', true),
              set_config('work_mem', '64MB', true), set_config('row_security', 'off', true),
              set_config('application_name', 'heddle audit', true)`,
      [String(Math.ceil(statementTimeoutMs))],
    );
    await work();
    return undefined;
  } catch (error) {
    if (error instanceof HarnessError) throw error;
    if (!(error instanceof DatabaseError)) {
      const message = `The connection was lost during the audit: ${(error as Error).message}`;
      throw new HarnessError("CONNECTION_LOST", message, { cause: error });
    }
    return `${error.message} (SQLSTATE ${error.code})`;
  } finally {
    await client.query("rollback").catch(() => {});
  }
}

/** A row of a check function. */
interface CheckRow {
  readonly check_name: string;
  readonly status: string;
  readonly violations?: string | number;
  readonly details?: string;
}

async function runChecks(
  client: Connection,
  { call, name, offending }: CheckFunction,
  options: AuditOptions,
): Promise<readonly AuditCheck[]> {
  const { rows } = await client.query<CheckRow>(`select * from ${call}`);
  if (rows.length === 0) {
    throw new HarnessError(
      "USAGE",
      `${name}() returned no row, so there is no check to report: name other functions`,
    );
  }
  const checks: AuditCheck[] = [];
  for (const { check_name, status, violations, details } of rows) {
    // Any status other than PASS fails.
    const verdict = status === "PASS" ? "pass" : "fail";
    const rowsAtFault =
      verdict === "pass" || offending === undefined
        ? []
        : await offendingRows(client, offending, check_name, options);
    checks.push({
      source: name,
      name: check_name,
      verdict,
      violations: Number(violations ?? (verdict === "fail" ? 1 : 0)),
      details: options.details ? (details ?? null) : null,
      offending: rowsAtFault,
    });
  }
  return checks;
}

async function offendingRows(
  client: Connection,
  call: string,
  check: string,
  { details, rows: limit }: AuditOptions,
): Promise<readonly JsonObject[]> {
  const { rows } = await client.query<{ row: JsonObject }>(
    `select pg_catalog.to_jsonb(offending) operator(pg_catalog.-) 'check_name'::pg_catalog.text as row
       from ${call} as offending
      where check_name::pg_catalog.text operator(pg_catalog.=) $1::pg_catalog.text limit $2`,
    [check, limit],
  );
  const isId = (key: string): boolean => key === "id" || key.endsWith("_id");
  return rows.map(({ row }) =>
    details ? row : Object.fromEntries(Object.entries(row).filter(([key]) => isId(key))),
  );
}
