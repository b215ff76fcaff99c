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
  const { rows } = await client.query<{ isolation: string | null }>(DEFAULTS);
  const defaults = rows.map(({ isolation }) => isolation);
  return ISOLATIONS.findLast((level) => defaults.includes(level)) ?? "read committed";
}
