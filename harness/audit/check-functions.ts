import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";

/** A function of the database's that checks its consistency. */
export interface CheckFunction {
  /** As it was named, or as the catalog names it. */
  readonly name: string;
  /** For a FROM clause. */
  readonly call: string;
  /** The same of the function that lists the rows at fault, if there is one. */
  readonly offending: string | undefined;
}

/**
 * The functions that take no arguments and return a table with `check_name` and `status` (`PASS`,
 * or else it fails; `violations` and `details` are shown too). The rows at fault come from such a
 * function of the same schema, without `status`, that this one calls.
 */
const FUNCTIONS = `
with tables as (
  select nspname, proname, prosrc, format('%I.%I()', nspname, proname) as call,
         array(select proargnames[i] from generate_subscripts(proargmodes, 1) i
                where proargmodes[i] = 't') as columns
    from pg_proc p join pg_namespace n on n.oid = pronamespace
   where pronargs = 0 and proretset and prokind = 'f'
     and nspname !~ '^(pg_.*|information_schema|heddle)$'
)
select v.proname as name, v.call,
       (select c.call from tables c
         where c.nspname = v.nspname and position(c.proname || '(' in v.prosrc) > 0
           and 'check_name' = any (c.columns) and 'status' <> all (c.columns)
         order by c.proname limit 1) as offending
  from tables v
 where v.columns @> array['check_name', 'status']
   and ($1::text[] is null or v.proname = any ($1) or v.nspname || '.' || v.proname = any ($1))
 order by v.nspname collate "C", v.proname collate "C"`;

/**
 * @param names of the functions, with their schemas or without; undefined: all of that form.
 * @throws HarnessError USAGE when there are none, or not all of those that were named.
 */
export async function checkFunctions(
  client: ClientBase,
  names: readonly string[] | undefined,
): Promise<readonly CheckFunction[]> {
  const { rows } = await client.query<{ name: string; call: string; offending: string | null }>(
    FUNCTIONS,
    [names],
  );
  const missing = names?.filter(
    (name) => !rows.some((row) => row.name === name || row.call.startsWith(`${name}(`)),
  );
  if (rows.length === 0 || (missing?.length ?? 0) > 0) {
    throw new HarnessError(
      "USAGE",
      `The database has no ${missing?.length ? `function ${missing.join(", ")}` : "functions"} without arguments that return a table with check_name and status: name others, or the right database.`,
    );
  }
  return rows.map(({ name, call, offending }) => ({
    name,
    call,
    offending: offending ?? undefined,
  }));
}
