import type { Client } from "pg";
import type { JsonObject, Snapshot } from "../../harness/index.ts";

/** Every row of every table, by id. Of times that come from the clock it says only whether they are set. */
const ROWS = `
  select (select jsonb_agg(to_jsonb(p) - '{created_at}'::text[] order by id)
            from providers p) as providers,
         (select jsonb_agg(to_jsonb(s) - '{created_at,updated_at}'::text[]
                           || jsonb_build_object('withdrawn_at', withdrawn_at is not null)
                           order by id)
            from availability_slots s) as availability_slots,
         (select jsonb_agg(to_jsonb(b) - '{created_at,updated_at}'::text[]
                           || jsonb_build_object('hold_expires_at', hold_expires_at is not null)
                           order by id)
            from bookings b) as bookings,
         (select jsonb_agg(to_jsonb(p) - '{created_at,updated_at}'::text[] order by intent)
            from payments p) as payments`;

type Tables = { readonly [table: string]: readonly JsonObject[] | null };

/** All that is in the database, equal for two executions that left the same. */
export async function contents(database: Client): Promise<Snapshot> {
  const { rows } = await database.query<Tables>({ name: "contents", text: ROWS });
  return Object.fromEntries(
    Object.entries(rows[0] ?? {}).map(([table, all]) => [table, all ?? []]),
  );
}
