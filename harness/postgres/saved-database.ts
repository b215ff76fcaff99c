import type { AdminConnection } from "./connection.ts";

/** The comment of every database that Heddle makes. */
export const MARK = "Made by Heddle, and disposable";

export async function markDatabase(admin: AdminConnection, name: string): Promise<void> {
  await admin.query(`comment on database ${name} is '${MARK}'`);
}

/** The name of the copy of a database. */
export function copyOf(name: string): string {
  return `${name}_copy`;
}

/**
 * Copies a database, and returns what puts the copy in its place. Both end the connections of the database.
 *
 * A copy is not made ahead, while clients run: that would change the server's snapshot, which shows whether a
 * client has committed.
 *
 * @param options of CREATE DATABASE
 */
export async function saveDatabase(
  admin: AdminConnection,
  name: string,
  options: string,
): Promise<() => Promise<void>> {
  // A template may have no connections.
  await admin.query(
    `select pg_terminate_backend(pid, 5000) from pg_stat_activity
      where datname = $1 and backend_type = 'client backend'`,
    [name],
  );
  const create = async (database: string, template: string) => {
    await admin.query(`drop database if exists ${database} with (force)`);
    await admin.query(`create database ${database} template ${template} ${options}`);
    await markDatabase(admin, database);
  };
  await create(copyOf(name), name);
  const rows = await admin.query<{ sql: string }>(NOT_COPIED, [name]);
  const notCopied = rows.map(({ sql }) => sql).join(";\n");
  return async () => {
    await create(name, copyOf(name));
    await admin.query(notCopied);
  };
}

/**
 * Statements that set what CREATE DATABASE does not copy: the owner, rights and settings of a database, also those
 * of single roles in it. A setting that is a list is stored as the text that SET would need, and is set from that text.
 */
const NOT_COPIED = `
with d as (select *, quote_ident(datname) as name from pg_database where datname = $1),
     setting as (
       select case setrole when 0 then format('database %s', d.name)
                           else format('role %s in database %s', setrole::regrole, d.name) end as of,
              split_part(config, '=', 1) as name, substr(config, strpos(config, '=') + 1) as value
         from d join pg_db_role_setting on setdatabase = d.oid cross join unnest(setconfig) as config)
select 1 as step, format('alter database %s owner to %s', name, datdba::regrole) as sql from d
union all
select 2, format('revoke all on database %s from public', name) from d where datacl is not null
union all
select 3, format('grant %s on database %s to %s%s', privilege_type, name,
                 case grantee when 0 then 'public' else grantee::regrole::text end,
                 case when is_grantable then ' with grant option' end)
  from d cross join aclexplode(datacl)
union all
select 4, case when name in ('search_path', 'temp_tablespaces', 'local_preload_libraries', 'session_preload_libraries')
               then format('select set_config(%L, %L, true); alter %s set %I from current', name, value, of, name)
               else format('alter %s set %I to %L', of, name, value) end
  from setting
 order by step`;
