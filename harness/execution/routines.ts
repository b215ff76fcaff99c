import { Client } from "pg";

/** SHA-256 of each routine's definition, by name and types of arguments. */
export type RoutineHashes = { readonly [routine: string]: string };

/**
 * Of all functions, procedures and trigger functions outside of the system's schemas, but for those
 * of extensions. What is hashed is the whole definition as the server writes it (pg_get_functiondef):
 * the body as it stands, language, volatility, rights and settings.
 */
const HASHES = `
  select format('%I.%I(%s)', n.nspname, p.proname,
                replace(oidvectortypes(p.proargtypes), ', ', ',')) as routine,
         encode(sha256(convert_to(pg_get_functiondef(p.oid), 'UTF8')), 'hex') as hash
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.prokind <> 'a' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     and not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
   order by 1`;

/** Hashes the routines of a database, reading only. Heddle's own are there only while it verifies. */
export async function routineHashes(url: string): Promise<RoutineHashes> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ routine: string; hash: string }>(HASHES);
    return Object.fromEntries(rows.map(({ routine, hash }) => [routine, hash]));
  } finally {
    await client.end();
  }
}
