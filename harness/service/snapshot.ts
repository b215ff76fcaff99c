import type { ClientQuery } from "./scenario-definition.ts";
import { tablesOf } from "./tables.ts";

const SEQUENCES = `
  select c.oid::regclass::text as name
    from pg_class c join pg_namespace n on n.oid = c.relnamespace
   where c.relkind = 'S' and c.relpersistence <> 't' and n.nspname <> 'heddle'
   order by c.oid`;

/** Where the script is kept that puts everything back: a system may be started more than once. */
const KEPT = "heddle.restore";

/** Notes each change of the schema, also one that is rolled back; temporary objects aside. */
const NOTE_CHANGES = `
  create sequence heddle.changes;
  create function heddle.note_change() returns event_trigger language plpgsql security definer as $$
  begin
    if tg_event = 'sql_drop' then
      if exists (select from pg_event_trigger_dropped_objects() where not is_temporary) then
        perform nextval('heddle.changes');
      end if;
    elsif exists (
      select from pg_event_trigger_ddl_commands() where schema_name is distinct from 'pg_temp'
    ) then
      perform nextval('heddle.changes');
    end if;
  end $$;
  create event trigger heddle_change on ddl_command_end execute function heddle.note_change();
  create event trigger heddle_drop on sql_drop execute function heddle.note_change();`;

/** How a database comes back to what it was. */
export interface Restorer {
  restore(): Promise<void>;
  /** Whether it cannot. */
  dirty(): Promise<boolean>;
}

/**
 * Keeps a copy of all rows, in the database itself, unless that was done before. What it gives puts
 * them back, and has the sequences go on where they were, in one round trip: the tables are truncated
 * and filled anew, so that rows lie in the same order each time, with no triggers and no checks of
 * foreign keys. A change of the schema is noted, and not undone. Whoever is no superuser may do none of
 * this: then each execution spoils the database.
 */
export async function takeSnapshot(query: ClientQuery): Promise<Restorer> {
  await query("create schema if not exists heddle");
  const [role] = await query("select rolsuper from pg_roles where rolname = current_user");
  if (role?.["rolsuper"] !== true) return once(query);
  const [known] = await query("select to_regclass($1)::text as name", [KEPT]);
  if (known?.["name"] === null) {
    const script = await copied(query);
    await query(`create table ${KEPT} as select $1::text as script`, [script]);
    await query(NOTE_CHANGES);
  }
  const [kept] = await query(`select script from ${KEPT}`);
  return {
    restore: async () => {
      await query(String(kept?.["script"]));
    },
    dirty: async () => {
      const [changes] = await query("select is_called from heddle.changes");
      return changes?.["is_called"] === true;
    },
  };
}

/** For one execution. */
function once(query: ClientQuery): Restorer {
  return {
    restore: async () => {
      await query("create table heddle.used ()");
    },
    dirty: async () => {
      const [used] = await query("select to_regclass('heddle.used')::text as name");
      return used?.["name"] !== null;
    },
  };
}

async function copied(query: ClientQuery): Promise<string> {
  const tables = await tablesOf(query);
  const fill: string[] = [];
  for (const [number, { name, columns }] of tables.entries()) {
    await query(`create table heddle.rows_${number} as select * from only ${name}`);
    if (columns === null) continue;
    fill.push(
      `insert into ${name} (${columns}) overriding system value
       select ${columns} from heddle.rows_${number}`,
    );
  }
  const next: string[] = [];
  for (const { name } of await query(SEQUENCES)) {
    const [at] = await query(
      `select format('setval(%L, %s, %L)', $1::text, last_value, is_called) as call from ${name}`,
      [name],
    );
    next.push(String(at?.["call"]));
  }
  return [
    "begin",
    "set local session_replication_role = replica",
    ...(tables.length === 0 ? [] : [`truncate ${tables.map(({ name }) => name).join(", ")}`]),
    ...fill,
    ...(next.length === 0 ? [] : [`select ${next.join(", ")}`]),
    "commit",
  ].join(";\n");
}
