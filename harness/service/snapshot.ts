import { escapeLiteral } from "pg";
import type { Snapshot } from "../core/execution.ts";
import type { Json, JsonObject } from "../core/json.ts";
import { rowsOf, withClient } from "../postgres/connection.ts";
import { rememberSchema } from "../postgres/schema-undo.ts";
import type { ClientQuery } from "./scenario-definition.ts";

/** An ordinary table of the schema under test. Names are quoted for use in SQL. */
export interface Table {
  /** With its schema: `public.orders`. */
  readonly name: string;
  /** As the search path finds it: `orders`. */
  readonly shortName: string;
  /** The columns that an INSERT sets: all but generated ones. */
  readonly columns: readonly string[];
}

const TABLES = `
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name,
         c.oid::regclass::text as short_name,
         array(select quote_ident(a.attname)
                 from pg_attribute a
                where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
                  and a.attgenerated = ''
                order by a.attnum) as columns
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'r' and c.relpersistence <> 't'
     and n.nspname !~ '^pg_' and n.nspname not in ('information_schema', 'heddle')
     and not exists (select from pg_depend d where d.objid = c.oid and d.deptype = 'e')
   order by c.oid`;

/** All ordinary tables of the schema under test, partitions included, in the order of their creation. */
export async function tablesOf(query: ClientQuery): Promise<readonly Table[]> {
  const rows = await query(TABLES);
  return rows.map(({ name, short_name, columns }) => ({
    name: String(name),
    shortName: String(short_name),
    columns: columns as string[],
  }));
}

const SEQUENCES = `
  select quote_ident(n.nspname) || '.' || quote_ident(c.relname) as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname !~ '^pg_'`;

/** Those of a clock that can be shifted: see `TestClock`. */
const CLOCK = "n.nspname = 'heddle' and c.relname in ('since', 'ahead')";

/** For each sequence of the schema under test, the call of `setval` that restores its position. */
export function sequencePositions(query: ClientQuery): Promise<readonly string[]> {
  return positionsOf(query, "n.nspname <> 'heddle'");
}

async function positionsOf(query: ClientQuery, condition: string): Promise<readonly string[]> {
  const sequences = await query(`${SEQUENCES} and ${condition} order by c.oid`);
  if (sequences.length === 0) return [];
  const positions = sequences.map(
    ({ name }) =>
      `select format('setval(%L, %s, %L)', ${escapeLiteral(String(name))}, last_value, is_called) as call
         from ${name}`,
  );
  return (await query(positions.join(" union all "))).map(({ call }) => String(call));
}

const DAY_MS = 86_400_000;

/**
 * All rows of all tables, sorted, so that two executions that leave the same state give equal contents.
 * A time within a day of now becomes `(now)`, since the clock gives another one in each execution.
 *
 * @param known the tables, where they are known
 */
export async function contentsOf(query: ClientQuery, known?: readonly Table[]): Promise<Snapshot> {
  const tables = known ?? (await tablesOf(query));
  if (tables.length === 0) return {};
  const parts = tables.map(
    ({ name }) =>
      `select ${escapeLiteral(name)} as "table",
              coalesce(jsonb_agg(row order by row::text), '[]') as rows
         from (select to_jsonb(t) as row from only ${name} t) as all_rows`,
  );
  const all = await query(
    `select all_tables.*, now() as now from (${parts.join(" union all ")}) as all_tables`,
  );
  return Object.fromEntries(
    all.map(({ table, rows, now }) => [
      String(table),
      withoutCurrentTimes(rows as JsonObject[], new Date(now as string).getTime()),
    ]),
  );
}

/**
 * The value with `(now)` in place of each time within a day of now: the clock gives another one in each execution.
 *
 * @param databaseNow what the database's clock shows, which may be shifted (see `TestClock`)
 */
export function withoutCurrentTimes<T extends Json>(value: T, databaseNow = Date.now()): T {
  const clocks = [Date.now(), databaseNow];
  return JSON.parse(JSON.stringify(value), (_, item: unknown) =>
    typeof item === "string" && clocks.some((now) => isTimeNear(now, item)) ? "(now)" : item,
  ) as T;
}

function isTimeNear(now: number, text: string): boolean {
  if (!/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d/.test(text)) return false;
  return Math.abs(Date.parse(text) - now) < DAY_MS;
}

/** The table that holds the script of `restore`: a system may be started more than once. */
const RESTORE_TABLE = "heddle.restore";

const STATE = `
  select rolsuper as "isSuperuser", to_regclass($1) is null as "isNew"
    from pg_roles where rolname = current_user`;

/** Counts each change of the schema, also one that is rolled back; not those of temporary objects. */
const COUNT_CHANGES = `
  create sequence heddle.changes;
  create function heddle.note_change() returns event_trigger language plpgsql security definer
    set search_path = pg_catalog, pg_temp as $$
  begin
    if tg_event = 'sql_drop' then
      if exists (select from pg_event_trigger_dropped_objects() where not is_temporary) then
        perform nextval('heddle.changes');
      end if;
    elsif exists (
      select from pg_event_trigger_ddl_commands()
       where coalesce(schema_name, '') not in ('pg_temp', 'heddle')
    ) then
      perform nextval('heddle.changes');
    end if;
  end $$;
  create event trigger heddle_change on ddl_command_end execute function heddle.note_change();
  create event trigger heddle_drop on sql_drop execute function heddle.note_change();`;

/** How tables are emptied before their rows are put back: see `ServiceDefinition.restore`. */
export type Emptying = "truncate" | "delete";

/** Restores a database to the state of its snapshot. */
export interface Restorer {
  /** Whether `restore` can be called again. Without, it only says that the database is used from then on. */
  readonly repeats: boolean;
  restore(): Promise<void>;
  /** Whether `restore` cannot bring the state back, since the schema has changed. */
  dirty(): Promise<boolean>;
  /**
   * Copies the rows as they are now, in place of the earlier copy of that number. The result restores
   * them; where `restore` does not repeat, it does nothing.
   */
  copy(number: number): Promise<() => Promise<void>>;
}

/**
 * Copies all rows to tables in the database itself, unless an earlier call did. The restorer puts them
 * back in one round trip, with the sequences at their positions: it truncates the tables and fills them
 * again in the same physical order (see `Emptying`), without triggers and without checks of foreign keys. A change of
 * the schema makes the database dirty. Only a superuser may do this: for any other role the database is
 * dirty after one execution.
 *
 * @param schema whether to remember the schema for `SchemaUndo`. Default: "forget", since that costs as much as an
 *   execution, and few services change their schema
 */
export async function takeSnapshot(
  query: ClientQuery,
  emptying: Emptying = "truncate",
  schema: "remember" | "forget" = "forget",
): Promise<Restorer> {
  const [state] = await query(STATE, [RESTORE_TABLE]);
  if (state?.["isNew"] === true) await query("create schema if not exists heddle");
  if (state?.["isSuperuser"] !== true) return singleUse(query);
  if (state["isNew"] === true) {
    const script = await copyRows(query, "heddle.rows", emptying);
    await query(`create table ${RESTORE_TABLE} as select $1::text as script`, [script]);
    await query(COUNT_CHANGES);
    if (schema === "remember") await rememberSchema(query, await positionsOf(query, "true"));
  }
  const [saved] = await query(`select script from ${RESTORE_TABLE}`);
  return {
    repeats: true,
    restore: async () => {
      await query(String(saved?.["script"]));
    },
    copy: async (number) => {
      const script = await copyRows(query, `heddle.copy_${number}`, emptying);
      return async () => {
        await query(script);
      };
    },
    dirty: async () => {
      const [changes] = await query("select is_called from heddle.changes");
      return changes?.["is_called"] === true;
    },
  };
}

/** Takes the snapshot, of the schema too, that every start on a copy of the database then finds. */
export async function prepareSnapshot(directUrl: string, emptying?: Emptying): Promise<void> {
  await withClient(directUrl, (client) =>
    takeSnapshot((sql, values) => rowsOf(client, sql, values), emptying, "remember"),
  );
}

/** A restorer that restores nothing: the database is dirty after the first execution. */
function singleUse(query: ClientQuery): Restorer {
  return {
    repeats: false,
    restore: async () => {
      await query("create table heddle.used ()");
    },
    copy: async () => async () => {},
    dirty: async () => {
      const [used] = await query("select to_regclass('heddle.used')::text as name");
      return used?.["name"] !== null;
    },
  };
}

/**
 * Copies the rows of each table to tables whose names begin with `copies`, and returns the script that
 * restores them.
 */
async function copyRows(query: ClientQuery, copies: string, emptying: Emptying): Promise<string> {
  const tables = await tablesOf(query);
  const inserts: string[] = [];
  const copying = tables.map(
    ({ name }, number) =>
      `create table if not exists ${copies}_${number} as select * from only ${name} with no data;
       truncate ${copies}_${number};
       insert into ${copies}_${number} select * from only ${name}`,
  );
  if (copying.length > 0) await query(copying.join(";\n"));
  for (const [number, { name, columns }] of tables.entries()) {
    const copy = `${copies}_${number}`;
    if (columns.length === 0) continue;
    const list = columns.join(", ");
    inserts.push(
      `insert into ${name} (${list}) overriding system value
       select ${list} from ${copy}`,
    );
  }
  const positions = [...(await sequencePositions(query)), ...(await positionsOf(query, CLOCK))];
  return [
    "begin",
    "set local session_replication_role = replica",
    ...(tables.length === 0 ? [] : [emptyingSql(tables, emptying)]),
    ...inserts,
    ...(positions.length === 0 ? [] : [`select ${positions.join(", ")}`]),
    "commit",
  ].join(";\n");
}

/**
 * The planner takes a table that was never vacuumed and has fewer pages for one of ten pages
 * (`estimate_rel_size` of PostgreSQL): until then, deleted rows change no plan.
 */
const MOST_PAGES = 10;

function emptyingSql(tables: readonly Table[], emptying: Emptying): string {
  const names = tables.map(({ name }) => name);
  const truncate = `truncate ${names.join(", ")}`;
  if (emptying === "truncate") return truncate;
  const sizes = names.map((name) => `pg_relation_size(${escapeLiteral(name)})`);
  return `do $$ begin
      if greatest(${sizes.join(", ")}) >= ${MOST_PAGES} * current_setting('block_size')::int then
        ${truncate};
      else
        ${names.map((name) => `delete from ${name};`).join("\n        ")}
      end if;
    end $$`;
}
