import type { Client } from "pg";
import type { JsonObject } from "../core/json.ts";
import { controlConnection } from "./connection.ts";

/**
 * The columns of pg_class that objects leave behind when they are dropped, such as `relhastriggers`, and those of
 * VACUUM and ANALYZE. They are set back.
 */
const LEFT_BEHIND = [
  ...["relhasindex", "relhasrules", "relhastriggers", "relhassubclass"],
  ...["relpages", "reltuples", "relallvisible", "relallfrozen"],
];

/** Those that TRUNCATE changes. */
const STORAGE = ["relfilenode", "relfrozenxid", "relminmxid"];

/** A table of the system's catalog that belongs to one database. */
interface Catalog {
  readonly name: string;
  /** The columns that are compared, as those of a row `t`. */
  readonly columns: string;
  readonly hasOid: boolean;
  /** Whether no two of its rows can be equal. */
  readonly isKeyed: boolean;
}

const CATALOGS = `
  select c.relname as name, string_agg('t.' || quote_ident(attname), ', ' order by attnum) as columns,
         bool_or(attname = 'oid') as "hasOid",
         exists (select from pg_index where indrelid = c.oid and indisunique) as "isKeyed"
    from pg_class c join pg_attribute on attrelid = c.oid and attnum > 0 and not attisdropped
   where relnamespace = 'pg_catalog'::regnamespace and relkind = 'r' and not relisshared
     and not (c.oid = 'pg_class'::regclass and attname = any ($1))
   group by c.oid, relname order by relname`;

const COLUMNS_LEFT_BEHIND = `
  select attname as name from pg_attribute where attrelid = 'pg_class'::regclass and attname = any ($1)`;

/** Rights, settings and the comment of the database, and what else belongs to it in catalogs that all share. */
const SETTINGS = `
  (select row(datdba, datallowconn, datconnlimit, shobj_description(d.oid, 'pg_database'),
              (select count(*) from pg_subscription where subdbid = d.oid),
              (select count(*) from pg_replication_slots where database = datname), array(select acl::text from unnest(datacl) as acl order by 1),
              array(select row(setrole, config)::text from pg_db_role_setting, unnest(setconfig) as config
                     where setdatabase = d.oid order by 1))::text
     from pg_database d where datname = current_database())`;

/** What has rows that a change of the schema may replace, and that `Restorer.restore` does not put back. */
const NOT_RESTORED = `
  select from pg_class c where relkind = 'm' or relkind = 'r' and oid >= 16384 and exists (
    select from pg_depend where classid = 'pg_class'::regclass and objid = c.oid and deptype = 'e')`;

/**
 * Remembers the schema for `SchemaUndo`.
 *
 * @param positions the calls of `setval` that restore the positions of all sequences
 */
export async function rememberSchema(
  query: (sql: string, values?: readonly unknown[]) => Promise<readonly JsonObject[]>,
  positions: readonly string[],
): Promise<void> {
  const catalogs = (await query(CATALOGS, [[...LEFT_BEHIND, ...STORAGE]])).map(
    ({ name, columns, hasOid, isKeyed }): Catalog => ({
      name: String(name),
      columns: String(columns),
      hasOid: hasOid === true,
      isKeyed: isKeyed === true,
    }),
  );
  const leftBehind = (await query(COLUMNS_LEFT_BEHIND, [LEFT_BEHIND])).map(({ name }) =>
    String(name),
  );
  await query(`
    create table heddle.catalogs (name text, count bigint);
    create table heddle.catalog_rows (catalog text, object oid, content text);
    create index on heddle.catalog_rows (catalog, object);
    create table heddle.classes as select oid, ${leftBehind} from pg_class with no data;
    create table heddle.remembered (transaction xid, settings text, complete boolean);
    ${undoFunction(catalogs, leftBehind, positions)}`);
  const counts = catalogs.map(({ name }) => `('${name}', (select count(*) from ${name}))`);
  const rows = catalogs.map(
    ({ name, columns, hasOid }) => `
      insert into heddle.catalog_rows select '${name}', ${hasOid ? "oid" : "null"}, row(${columns})::text from ${name} as t
       where age(xmin) <= (select age(xmin) from pg_database where datname = 'template0');`,
  );
  // Nothing here changes the catalog: what is younger than this transaction came later.
  await query(`
    begin;
    insert into heddle.catalogs values ${counts};
    ${rows.join("")}
    insert into heddle.classes select oid, ${leftBehind} from pg_class;
    insert into heddle.remembered
    select pg_current_xact_id()::xid, ${SETTINGS}, not exists (${NOT_RESTORED});
    commit`);
}

/**
 * Undoes what was done to the schema since it was remembered: drops every object that is new, sets back what their
 * creation has left in other rows of the catalog, and compares the whole catalog with what was remembered. The
 * rows of tables stay as they are.
 *
 * A row of the catalog is unchanged if it is not younger than the transaction that remembered it. So each catalog
 * must have as many rows as then, and each younger row must be equal to a remembered one. Rows that template0
 * had already are not remembered: a younger one differs.
 */
export class SchemaUndo {
  readonly #directUrl: string;
  readonly #mostTimes: number;
  #client: Client | undefined;
  #times = 0;
  #failures = 0;

  /**
   * @param mostTimes how often changes may be undone until `close`: each time leaves dead rows in the files of the
   *   catalog. Default: 200
   */
  constructor(directUrl: string, mostTimes = 200) {
    this.#directUrl = directUrl;
    this.#mostTimes = mostTimes;
  }

  /**
   * Undoes the changes. No other session may be executing anything.
   *
   * @returns whether the schema is as it was remembered. It is not if old objects were changed or dropped: then
   *   the database has to be restored from a copy.
   */
  async undo(): Promise<boolean> {
    if (this.#times === this.#mostTimes || this.#failures === MOST_FAILURES) return false;
    this.#times++;
    const isUndone = await this.#attempt();
    this.#failures = isUndone ? 0 : this.#failures + 1;
    return isUndone;
  }

  async #attempt(): Promise<boolean> {
    try {
      // One session, whose plans stay: to make them takes longer than to execute them.
      this.#client ??= await controlConnection(this.#directUrl, "heddle undo");
      const { rows } = await this.#client.query<{ undone: boolean }>(
        "select heddle.undo() as undone",
      );
      return rows[0]?.undone === true;
    } catch {
      // No connection is free, an object cannot be dropped, or a session holds it.
      return false;
    }
  }

  /** Closes the connection, before the database is restored from a copy. */
  async close(): Promise<void> {
    this.#times = 0;
    await this.#client?.end();
    this.#client = undefined;
  }
}

/** How often in succession it may fail: a scenario mostly does the same to the schema in each execution. */
const MOST_FAILURES = 5;

/** For how long a session may hold what is to be dropped. */
const LOCK_TIMEOUT = "1s";

/** Whether the row `t` of a catalog is that of an object that is new. */
const isNew = (catalog: string) => `
  age(t.xmin) < since and t.oid >= 16384 and not exists (
    select from heddle.catalog_rows where catalog = '${catalog}' and object = t.oid)`;

/**
 * Which new rows of a catalog are objects to drop, apart from schemas and tables, in an order in which few are left
 * for the later catalogs.
 */
const DROPPED: { readonly [catalog: string]: string } = {
  pg_extension: "true",
  pg_class: "relkind in ('v', 'm', 'f', 'S')",
  pg_type: `typtype in ('b', 'c', 'd', 'e', 'r') and typelem = 0
    and (typrelid = 0 or exists (select from pg_class where oid = typrelid and relkind = 'c'))`,
  pg_proc: "true",
  pg_trigger: "not tgisinternal",
  pg_rewrite: "rulename <> '_RETURN'",
  pg_policy: "true",
  pg_event_trigger: "true",
  pg_statistic_ext: "true",
  pg_constraint: "conrelid <> 0",
  pg_index: "not exists (select from pg_constraint where conindid = indexrelid)",
};

const NAMES = `case type when 'composite type' then 'type' when 'statistics object' then 'statistics' else type end`;

const DROPS = Object.entries(DROPPED).map(([catalog, condition]) => {
  // The row of an index is in pg_class.
  const [row, classed] =
    catalog === "pg_index" ? ["pg_class", "join pg_index on indexrelid = t.oid"] : [catalog, ""];
  const drop =
    catalog === "pg_constraint"
      ? "format('alter table if exists %s drop constraint if exists %I cascade', conrelid::regclass, conname)"
      : `format('drop %s if exists %s cascade', ${NAMES}, identity)`;
  // To plan the query takes longer than to count, and most of what is new is gone with its schema or table.
  return `
      if (select count(*) from ${row}) > (counts ->> '${row}')::bigint then
        for drops in
          select ${drop} from ${row} as t ${classed} cross join pg_identify_object('${row}'::regclass, t.oid, 0)
           where (${condition}) and ${isNew(row)} and not exists (
             select from pg_depend where classid = '${row}'::regclass and objid = t.oid and deptype in ('e', 'i'))
        loop
          execute drops;
        end loop;
      end if;`;
});

function undoFunction(
  catalogs: readonly Catalog[],
  leftBehind: readonly string[],
  positions: readonly string[],
): string {
  const comparisons = catalogs.map(({ name, columns, isKeyed }) => {
    const all = `select row(${columns})::text as content from ${name} as t`;
    const young = `${all} where age(t.xmin) < since`;
    const remembered = `select content from heddle.catalog_rows where catalog = '${name}'`;
    const differs = isKeyed
      ? `exists (${young} except all ${remembered})`
      : `exists (select content, count(*) from (${all}) as t where content in (${young}) group by content
                 except select content, count(*) from (${remembered}) as t group by content)`;
    return `
      select count(*), count(*) filter (where age(xmin) < since) into rows, young from ${name};
      if rows <> (counts ->> '${name}')::bigint then return false; end if;
      if young > 0 then
        if ${differs} then return false; end if;
      end if;`;
  });
  return `
    create function heddle.undo() returns boolean language plpgsql
      set search_path = pg_catalog, pg_temp set client_min_messages = warning set lock_timeout = '${LOCK_TIMEOUT}'
    as $undo$
    declare
      since constant int not null := (select age(transaction) from heddle.remembered);
      counts constant jsonb not null := (select jsonb_object_agg(name, count) from heddle.catalogs);
      drops text;
      rows bigint;
      young bigint;
    begin
      if exists (select from heddle.remembered where not complete or settings is distinct from ${SETTINGS})
         or exists (select from pg_prepared_xacts where database = current_database()) then
        return false;
      end if;
      if current_setting('session_replication_role') <> 'replica' then
        -- Without triggers. It is not set back: a change discards all plans of the session.
        perform set_config('session_replication_role', 'replica', false);
      end if;

      select 'drop schema ' || string_agg(quote_ident(nspname), ', ') || ' cascade' into drops
        from pg_namespace as t where ${isNew("pg_namespace")};
      execute coalesce(drops, '');
      select 'drop table ' || string_agg(oid::regclass::text, ', ') || ' cascade' into drops
        from pg_class as t where relkind in ('r', 'p') and ${isNew("pg_class")};
      execute coalesce(drops, '');
      ${DROPS.join("")}

      update pg_class as now set (${leftBehind}) = (select ${leftBehind.map((it) => `past.${it}`)})
        from heddle.classes as past
       where past.oid = now.oid
         and (${leftBehind.map((it) => `past.${it}`)}) is distinct from (${leftBehind.map((it) => `now.${it}`)});
      ${comparisons.join("")}

      ${positions.map((call) => `perform ${call};`).join("\n")}
      return true;
    end $undo$;`;
}
