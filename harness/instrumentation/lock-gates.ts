import type { ClientBase } from "pg";
import { loadParser } from "../parser/sql.ts";
import type { GateKind } from "./gate-kind.ts";
import { UNGATED_FUNCTIONS } from "./routine-gates.ts";
import { rowQueries } from "./row-queries.ts";
import { firstTableLocks } from "./table-locks.ts";

/**
 * A gate between the locks that one statement takes: two statements that take the same locks in
 * different orders can deadlock.
 *
 * - LOCK TABLE with several tables: the proxy locks all but the last one with statements of its own
 *   before it sends the request. The request then has every lock but the last.
 * - A SELECT that locks rows, or calls a volatile function for each: the proxy fetches its rows one by
 *   one.
 * - Foreign keys: the checks of the rows that a statement has written are AFTER ROW triggers, which lock
 *   the rows referred to. A trigger before each of them, except the first of the statement, is a gate.
 *
 * UPDATE and DELETE lock each row before its BEFORE ROW triggers: row gates stand between their locks.
 */
export const lockGates: GateKind = {
  name: "lock",
  install: async (client, first) => {
    await loadParser();
    const [tables, rows] = [first, first + 1];
    const children = await installForeignKeyGates(client, rows + 1);
    return {
      places: [
        { of: "LOCK TABLE", line: null, next: "lock the next table" },
        { of: "a SELECT", line: null, next: "lock the next row" },
        ...children.map((of) => ({ of, line: null, next: "check a foreign key" })),
      ],
      wire: {
        tables: { place: tables, before: firstTableLocks },
        rows: { place: rows, most: await rowQueries(client, UNGATED_FUNCTIONS) },
      },
      uncontrolled: [SUBQUERIES],
    };
  },
  remove: async (client) => {
    await client.query("drop function if exists heddle.foreign_key cascade");
  },
};

/** A trigger that checks a foreign key of rows that are inserted or updated. */
interface ForeignKeyCheck {
  readonly table: string;
  /** The name of a trigger that PostgreSQL fires right before the check. */
  readonly name: string;
  readonly event: "insert" | "update";
  readonly deferral: string;
  /** Whether there is something to check. */
  readonly condition: string;
}

/**
 * The triggers of a row fire in the order of their names
 * (https://www.postgresql.org/docs/current/trigger-definition.html), and those that check foreign keys
 * are named by their oids. A name that is lower in the last digit, with a tilde after it, comes after
 * all others that are lower. A deferrable check needs a gate that is deferred likewise.
 *
 * There is nothing to check where a column of the key is null, nor where an UPDATE leaves the key alone,
 * unless the row is of the same transaction: its deferred check is that of the last version
 * (RI_FKey_fk_upd_check_required in src/backend/utils/adt/ri_triggers.c). Such a row has no smaller
 * transaction number than the transaction.
 */
const CHECKS = `
select c.oid::regclass::text as table,
       quote_ident(left(tgname, -1) || chr(ascii(right(tgname, 1)) - 1) || '~heddle') as name,
       case when tgtype & 4 > 0 then 'insert' else 'update' end as event,
       case when not tgdeferrable then '' when tginitdeferred then 'deferrable initially deferred'
            else 'deferrable initially immediate' end as deferral,
       (select string_agg(format('new.%I is not null', attname), ' and ') ||
               case when tgtype & 4 > 0 then '' else
                 format(' and (%s%s)',
                        string_agg(format('old.%1$I is distinct from new.%1$I', attname), ' or '),
                        case when tgdeferrable then ' or pg_catalog.age(old.xmin) <= 0' end) end
          from pg_attribute a where a.attrelid = c.oid and a.attnum = any (k.conkey)) as condition
  from pg_trigger t join pg_class c on c.oid = tgrelid join pg_namespace n on n.oid = relnamespace
  join pg_constraint k on k.oid = tgconstraint
 where tgfoid in ('pg_catalog."RI_FKey_check_ins"'::regproc, 'pg_catalog."RI_FKey_check_upd"'::regproc)
   and relkind = 'r' and relpersistence <> 't'
   and nspname !~ '^(pg_.*|information_schema|heddle|migrations)$'
 order by 1, 2`;

/** The tables with foreign keys, and so with a trigger that starts each of their statements. */
const CHILDREN = `
select distinct c.oid::regclass::text as table
  from pg_constraint k join pg_class c on c.oid = conrelid join pg_namespace n on n.oid = relnamespace
 where contype = 'f' and relkind in ('r', 'p') and relpersistence <> 't'
   and nspname !~ '^(pg_.*|information_schema|heddle|migrations)$'
 order by 1`;

/**
 * The first check of a statement takes its first lock of this kind, and needs no gate: it comes right
 * after what the statement has written. A setting of the transaction says whether a check has been made,
 * for each depth of triggers. It starts anew with each statement; where it does not, in a COMMIT, a check
 * has a gate without need.
 */
const FUNCTION = `
create or replace function heddle.foreign_key() returns trigger language plpgsql
as $$
declare
  checked text := 'heddle.checked_' operator(pg_catalog.||) pg_catalog.pg_trigger_depth();
begin
  if tg_level operator(pg_catalog.=) 'STATEMENT' then
    perform pg_catalog.set_config(checked, '', true);
  elsif pg_catalog.current_setting(checked, true) operator(pg_catalog.=) 'once' then
    if heddle.gate(tg_argv[0]::pg_catalog.int4) then end if;
  else
    perform pg_catalog.set_config(checked, 'once', true);
  end if;
  return null;
end
$$`;

/** Returns the tables that have gates, in the order of the gates' numbers. */
async function installForeignKeyGates(
  client: ClientBase,
  first: number,
): Promise<readonly string[]> {
  await client.query("drop function if exists heddle.foreign_key cascade");
  await client.query(FUNCTION);
  const { rows: checks } = await client.query<ForeignKeyCheck>(CHECKS);
  const { rows: children } = await client.query<{ table: string }>(CHILDREN);
  const tables = [...new Set(checks.map(({ table }) => table))];
  for (const { table } of children) {
    await client.query(
      `create trigger "~~heddle_lock_gate" before insert or update on ${table}
       for each statement execute function heddle.foreign_key()`,
    );
  }
  for (const { table, name, event, deferral, condition } of checks) {
    await client.query(
      `create ${deferral === "" ? "" : "constraint"} trigger ${name} after ${event} on ${table}
       ${deferral} for each row when (${condition})
       execute function heddle.foreign_key('${first + tables.indexOf(table)}')`,
    );
  }
  return tables;
}

const SUBQUERIES =
  "A statement that locks rows in a subquery, in a WITH query or for a cursor locks them in one step, and a join locks its rows of several tables in one step. So do several functions of PostgreSQL that one row calls, such as two advisory locks, and EXECUTE of a statement that PREPARE made.";
