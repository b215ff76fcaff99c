import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";

/** A function that checks the consistency of its database. */
export interface CheckFunction {
  /** Without its schema. */
  readonly name: string;
  /** A call for a FROM clause. */
  readonly call: string;
  /** A call of the function that returns the offending rows, if there is one. */
  readonly offending: string | undefined;
}

/**
 * Finds functions without arguments that return a table with `check_name` and `status`. A check passes
 * if its status is `PASS`. Columns `violations` and `details` are optional. The offending rows come
 * from a function of the same schema that the check function calls: it returns a table with
 * `check_name` and without `status`.
 */
const FUNCTIONS = `
with tables as (
  select nspname, proname, prosrc, format('%I.%I()', nspname, proname) as call,
         array(select proargnames[i] from generate_subscripts(proargmodes, 1) i
                where proargmodes[i] = 't') as columns,
         proowner in (current_user::regrole, datdba) as trusted,
         pg_get_userbyid(proowner) as owner
    from pg_proc p join pg_namespace n on n.oid = pronamespace
    join pg_database d on d.datname = current_database()
   where pronargs = 0 and proretset and prokind = 'f'
     and nspname !~ '^(pg_.*|information_schema|heddle)$'
)
select v.proname as name, v.call, v.trusted, v.owner,
       (select c.call from tables c
         where c.nspname = v.nspname and position(c.proname || '(' in v.prosrc) > 0
           and 'check_name' = any (c.columns) and 'status' <> all (c.columns)
           and (c.trusted or (not v.trusted and c.owner = v.owner))
         order by c.proname limit 1) as offending
  from tables v
 where v.columns @> array['check_name', 'status']
   and ($1::text[] is null or v.proname = any ($1) or v.nspname || '.' || v.proname = any ($1))
 order by v.nspname collate "C", v.proname collate "C"`;

/**
 * What would run code of a role that is neither trusted (as above) nor a superuser, if a check function named
 * it: functions, operators, domains, views and foreign tables, and tables whose indexes or constraints
 * call a function (the planner evaluates an immutable one). Row security is switched off instead, and
 * generated columns call built-in functions alone.
 *
 * A name counts if its schema is in the search path, or if the code of a trusted role or a superuser holds
 * it with its schema, or holds its schema and sets a search path. The code is compared without quotes and in
 * lower case, so that what counts is too much rather than too little; a name that the code puts together
 * is not found.
 */
const FOUND_BY_NAME = `
with trusted as (
  select r.oid from pg_roles r join pg_database d on d.datname = current_database()
   where rolsuper or r.oid in (current_user::regrole, datdba)
), called as (
  select case when d.classid = 'pg_constraint'::regclass then c.conrelid else coalesce(i.indrelid, d.objid) end as oid
    from pg_depend d
    left join pg_index i on d.classid = 'pg_class'::regclass and i.indexrelid = d.objid
    left join pg_constraint c on d.classid = 'pg_constraint'::regclass and c.oid = d.objid
   where d.refclassid in ('pg_proc'::regclass, 'pg_operator'::regclass)
     and d.classid in ('pg_class'::regclass, 'pg_constraint'::regclass)
), named as (
  select oid::regprocedure::text as what, proname as name, proowner as owner, pronamespace as schema from pg_proc
   union all
  select oid::regoperator::text, oprname, oprowner, oprnamespace from pg_operator
   union all
  select 'the domain ' || oid::regtype, typname, typowner, typnamespace from pg_type where typtype = 'd'
   union all
  select case relkind when 'v' then 'the view ' when 'f' then 'the foreign table ' else 'the table ' end
           || oid::regclass, relname, relowner, relnamespace
    from pg_class where relkind in ('v', 'f') or oid in (select oid from called)
), code as (
  select concat(prosrc, pg_get_function_sqlbody(oid), proconfig::text) as text, pronamespace as schema
    from pg_proc where proowner in (select oid from trusted)
   union all
  select pg_get_viewdef(oid), relnamespace from pg_class where relkind = 'v' and relowner in (select oid from trusted)
), compared as (
  select lower(regexp_replace(replace(text, '"', ''), '\\s*\\.\\s*', '.', 'g')) as text
    from code join pg_namespace n on n.oid = schema where nspname !~ '^(pg_.*|information_schema)$'
)
select what, pg_get_userbyid(owner) as owner
  from named join pg_namespace n on n.oid = schema
 where owner not in (select oid from trusted)
   and (nspname = any ($1)
        or exists (select from compared
                    where position(lower(nspname || '.' || name) in text) > 0
                       or (position('search_path' in text) > 0 and position(lower(nspname) in text) > 0)))
 order by what collate "C" limit 1`;

/**
 * Refuses check functions that could run code of another role.
 *
 * @param path the schemas in which they look for names
 * @throws HarnessError `USAGE`
 */
export async function refuseStrangers(client: ClientBase, path: readonly string[]): Promise<void> {
  const { rows } = await client.query<{ what: string; owner: string }>(FOUND_BY_NAME, [path]);
  const [first] = rows;
  if (first === undefined) return;
  throw new HarnessError(
    "USAGE",
    `${first.what} belongs to ${first.owner}, and the check functions could run its code, since its schema is in their search_path or their code names it: name the functions to run with --check, or audit as a role whose search_path leaves the schema out.`,
  );
}

/**
 * A function runs with the rights of the auditing role, so one of another role is found only by its name:
 * by default, those of the auditing role and of the database's owner are found.
 *
 * @param names of the functions, with or without their schemas; by default all check functions
 * @throws HarnessError `USAGE` if there is none, or if a named one is missing
 */
export async function checkFunctions(
  client: ClientBase,
  names: readonly string[] | undefined,
): Promise<readonly CheckFunction[]> {
  const { rows: found } = await client.query<{
    name: string;
    call: string;
    offending: string | null;
    trusted: boolean;
    owner: string;
  }>(FUNCTIONS, [names]);
  const rows = found.filter(({ trusted }) => trusted || names !== undefined);
  const [skipped] = found;
  if (rows.length === 0 && skipped !== undefined) {
    throw new HarnessError(
      "USAGE",
      `${skipped.call} belongs to ${skipped.owner}, neither to the auditing role nor to the database's owner, so it is not executed: name the functions to run with --check.`,
    );
  }
  const missing = names?.filter(
    (name) => !rows.some((row) => row.name === name || row.call.startsWith(`${name}(`)),
  );
  if (rows.length === 0 || (missing?.length ?? 0) > 0) {
    throw new HarnessError(
      "USAGE",
      `The database has no ${missing?.length ? `function ${missing.join(", ")}` : "function"} without arguments that returns a table with check_name and status: name other functions, or another database.`,
    );
  }
  return rows.map(({ name, call, offending }) => ({
    name,
    call,
    offending: offending ?? undefined,
  }));
}
