import type { ClientBase } from "pg";
import { memoize } from "../parser/memoize.ts";
import { namesIn } from "../parser/names.ts";
import { loadParser, parseStatements, statementType } from "../parser/sql.ts";
import { type GateKind, tablesUnderTest } from "./gate-kind.ts";
import { PRIVATE_FUNCTIONS } from "./gate-positions.ts";

/** What a statement does after a snapshot gate. */
export const AFTER_SNAPSHOT = "use the snapshot";

/**
 * A gate between the snapshot of a statement and its first row.
 *
 * - INSERT, UPDATE, DELETE and MERGE: a BEFORE STATEMENT trigger on each table, which fires after the
 *   snapshot was taken.
 * - SELECT: the server takes the snapshot at Bind (exec_bind_message in src/backend/tcop/postgres.c),
 *   so the proxy holds the request between Bind and Execute. Only a SELECT that locks rows, or that
 *   calls a volatile function, can see anything newer than its snapshot. No other one is held, since
 *   its rows do not depend on when they are fetched.
 */
export const snapshotGates: GateKind = {
  name: "snapshot",
  install: async (client, first) => {
    await loadParser();
    await client.query(FUNCTION);
    const tables = await tablesUnderTest(client, { partitions: true });
    for (const [index, table] of tables.entries()) {
      await client.query(
        `create or replace trigger "${TRIGGER}" before insert or update or delete on ${table}
         for each statement execute function heddle.statement('${first + 1 + index}')`,
      );
    }
    const places = ["a SELECT", ...tables];
    return {
      places: places.map((of) => ({ of, line: null, next: AFTER_SNAPSHOT })),
      wire: {
        snapshot: { place: first, last: first + tables.length, holds: await heldQueries(client) },
      },
    };
  },
  remove: async (client) => {
    for (const table of await tablesUnderTest(client, { partitions: true })) {
      await client.query(`drop trigger if exists "${TRIGGER}" on ${table}`);
    }
    await client.query("drop function if exists heddle.statement");
  },
};

/** Sorts last among the triggers: those of the application have run before the gate. */
const TRIGGER = "~~heddle_snapshot_gate";

const FUNCTION = `
create or replace function heddle.statement() returns trigger language plpgsql
as $$
begin
  if heddle.gate(tg_argv[0]::pg_catalog.int4) then end if;
  return null;
end
$$`;

/** Volatile functions and operators' functions, and views, whose text may call some. */
const SEES_NEWER = `
select 'function' as kind, proname as name from pg_proc
 where provolatile = 'v' and pronamespace <> 'heddle'::regnamespace and proname <> all ($1::name[])
union
select 'relation', relname from pg_class c join pg_namespace n on n.oid = relnamespace
 where (relkind = 'v' or relrowsecurity) and nspname !~ '^(pg_.*|information_schema|heddle)$'
union
select 'operator', oprname from pg_operator join pg_proc p on p.oid = oprcode where provolatile = 'v'`;

/** Decides which texts are single SELECTs that can see anything newer than their snapshot. */
async function heldQueries(client: ClientBase): Promise<(sql: string) => boolean> {
  const { rows } = await client.query<{ kind: string; name: string }>(SEES_NEWER, [
    PRIVATE_FUNCTIONS,
  ]);
  const named = (kind: string) =>
    new Set(rows.flatMap((row) => (row.kind === kind ? [row.name] : [])));
  const [functions, relations, operators] = ["function", "relation", "operator"].map(named);
  const isHeld = (sql: string): boolean => {
    const [statement, ...others] = parseStatements(sql) ?? [];
    if (statement === undefined || others.length > 0) return false;
    if (statementType(statement) !== "SelectStmt") return false;
    const { reads, writes, calls, attributes, locks, unknown } = namesIn(sql);
    // SELECT INTO, and a WITH query that writes, take their snapshot at Execute.
    if (unknown || writes.length > 0 || reads.length === 0) return false;
    return (
      locks ||
      reads.some((name) => relations?.has(name)) ||
      attributes.some((name) => functions?.has(name)) ||
      calls.some(({ name, operator }) => (operator ? operators : functions)?.has(name))
    );
  };
  const remembered = memoize((sql: string) => ({ held: isHeld(sql) }));
  return (sql) => remembered(sql).held;
}
