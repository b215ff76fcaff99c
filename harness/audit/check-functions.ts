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
 * Functions and operators in the schemas of a search path, of an owner that is neither trusted (as above) nor a
 * superuser. Code that calls by name runs them if they fit its arguments better than the built-in ones.
 */
const FOUND_BY_NAME = `
with trusted as (
  select r.oid from pg_roles r join pg_database d on d.datname = current_database()
   where rolsuper or r.oid in (current_user::regrole, datdba)
)
select what, pg_get_userbyid(owner) as owner
  from (select oid::regprocedure::text as what, proowner as owner, pronamespace as schema from pg_proc
         union all
        select oid::regoperator::text, oprowner, oprnamespace from pg_operator) named
  join pg_namespace n on n.oid = schema
 where nspname = any ($1) and owner not in (select oid from trusted)
 order by what collate "C" limit 1`;

/**
 * Refuses check functions that could call code of another role by name.
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
    `${first.what} belongs to ${first.owner}, and the check functions could call it by name, since its schema is in their search_path: name the functions to run with --check, or audit as a role whose search_path leaves the schema out.`,
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
