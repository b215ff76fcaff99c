import type { ClientBase } from "pg";
import { ISOLATIONS, type Isolation } from "../core/control.ts";

/** The default isolation levels of the server, of this database and of roles. */
const DEFAULTS = `
select current_setting('default_transaction_isolation') as isolation
union all
select substring(setting from '^default_transaction_isolation=(.*)')
  from pg_db_role_setting, unnest(setconfig) as setting
 where setdatabase in (0, (select oid from pg_database where datname = current_database()))`;

/** The strictest isolation level that a session has by default: which role it will have is not known. */
export async function defaultIsolation(client: ClientBase): Promise<Isolation> {
  return (await defaultIsolations(client)).at(-1) ?? "read committed";
}

/** All isolation levels that a session may have by default, the strictest last. */
export async function defaultIsolations(client: ClientBase): Promise<readonly Isolation[]> {
  const { rows } = await client.query<{ isolation: string | null }>(DEFAULTS);
  const defaults = rows.map(({ isolation }) => isolation);
  // READ UNCOMMITTED is READ COMMITTED.
  const isolations = defaults.map((it) => (it === "read uncommitted" ? "read committed" : it));
  return ISOLATIONS.filter((level) => isolations.includes(level));
}
