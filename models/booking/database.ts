import type { Client } from "pg";
import type { JsonObject, Snapshot } from "../../harness/index.ts";
import { CHECKS, LEDGER, OFFENDING } from "./invariants.ts";
import type { BookingState } from "./state.ts";

/**
 * Replaces the contents of a migrated database. As a function in pg_temp it is no part of the schema
 * under test, and its plans stay cached. Sequences continue after the given ids. The previous rows are
 * deleted or, if `anew`, truncated.
 */
const FUNCTION = `
  create or replace function pg_temp.reset_booking(initial jsonb, anew boolean) returns void
    language plpgsql
  as $$
  begin
    if anew then
      truncate payments, bookings, availability_slots, providers;
    else
      delete from payments;
      delete from bookings;
      delete from availability_slots;
      delete from providers
       where id not in (
         select id from jsonb_to_recordset(initial -> 'providers') given (id bigint)
       );
    end if;

    insert into providers (id, name) overriding system value
    select id, name
      from jsonb_to_recordset(initial -> 'providers') given (id bigint, name text)
     order by id
        on conflict (id) do update set name = excluded.name;

    insert into availability_slots (
      id, provider_id, start_at, end_at, is_available, withdrawn_at
    ) overriding system value
    select id, provider, "startAt", "endAt", available, case when withdrawn then "startAt" end
      from jsonb_to_recordset(initial -> 'slots') given (
             id bigint, provider bigint, "startAt" timestamptz, "endAt" timestamptz,
             available boolean, withdrawn boolean
           )
     order by id;

    insert into bookings (
      id, slot_id, provider_id, start_at, end_at, customer_id, customer_name, notes, status,
      created_by, hold_expires_at, payment_intent_id
    ) overriding system value
    select given.id, s.id, s.provider_id, s.start_at, s.end_at, customer, "customerName", notes,
           status, "createdBy", "holdExpiresAt", (
             select intent
               from jsonb_to_recordset(initial -> 'payments') paid (
                      intent text, booking bigint, status text
                    )
              where paid.booking = given.id and paid.status <> 'declined'
           )
      from jsonb_to_recordset(initial -> 'bookings') given (
             id bigint, slot bigint, customer text, "customerName" text, notes text, status text,
             "createdBy" text, "holdExpiresAt" timestamptz
           )
      join availability_slots s on s.id = given.slot
     order by given.id;

    insert into payments (intent, booking_id, status)
    select intent, booking, status
      from jsonb_to_recordset(initial -> 'payments') given (
             intent text, booking bigint, status text
           );

    perform setval('providers_id_seq', (select coalesce(max(id), 0) + 1 from providers), false),
            setval('availability_slots_id_seq',
                   (select coalesce(max(id), 0) + 1 from availability_slots), false),
            setval('bookings_id_seq', (select coalesce(max(id), 0) + 1 from bookings), false);
  end
  $$`;

/**
 * Every how many resets the tables are truncated. Deletes leave dead rows behind, which slow down every
 * statement after thousands of resets. Truncating takes five times as long as deleting, and makes every
 * session plan its statements again. Vacuum is no alternative: it updates statistics, so that a replay
 * on a new database would get other plans.
 */
const TRUNCATE_EVERY = 500;

/** Prepares a session. Returns the function that sets the state of the session's database. */
export async function openReset(
  database: Client,
): Promise<(initial: BookingState) => Promise<void>> {
  await database.query(FUNCTION);
  let resets = 0;
  return async (initial) => {
    const anew = resets++ % TRUNCATE_EVERY === 0;
    await database.query({
      name: "reset",
      text: "select pg_temp.reset_booking($1, $2)",
      values: [JSON.stringify(initial), anew],
    });
  };
}

/** Every row of every table, by id. Times that come from the clock are reduced to whether they are set. */
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

/** The contents of the database, equal for two executions that left the same rows. */
export async function contents(database: Client): Promise<Snapshot> {
  const { rows } = await database.query<Tables>({ name: "contents", text: ROWS });
  return Object.fromEntries(
    Object.entries(rows[0] ?? {}).map(([table, all]) => [table, all ?? []]),
  );
}

const OFFENDING_ROWS = [
  "select * from check_slot_booking_consistency() order by check_name, slot_id, booking_id",
  "select * from check_payment_consistency() order by check_name, booking_id, intent",
];

/**
 * The results of the consistency checks, the offending rows if a check failed, and the payments.
 * `refundsOf` returns how often the gateway has refunded an intent.
 */
export async function observe(
  database: Client,
  refundsOf: (intent: string) => number,
): Promise<Snapshot> {
  const checks = await database.query<JsonObject>({
    name: "verify",
    text: `select * from verify_booking_slot_consistency()
           union all
           select * from verify_payment_consistency()`,
  });
  const payments = await database.query<{ intent: string; status: string }>({
    name: "payments",
    text: "select intent, status from payments order by intent",
  });
  const ledger = payments.rows.map((row) => ({ ...row, refunds: refundsOf(row.intent) }));
  const snapshot = { [CHECKS]: checks.rows, [LEDGER]: ledger };
  if (checks.rows.every((row) => row["status"] === "PASS")) return snapshot;
  const offending: JsonObject[] = [];
  for (const sql of OFFENDING_ROWS) {
    offending.push(...(await database.query<JsonObject>(sql)).rows);
  }
  return { ...snapshot, [OFFENDING]: offending };
}
