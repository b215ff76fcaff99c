import type { Client } from "pg";
import type { JsonObject, Snapshot } from "../../harness/index.ts";
import { CHECKS, LEDGER, OFFENDING } from "./invariants.ts";
import type { BookingState } from "./state.ts";

/**
 * Puts the state that it is given into a migrated database. It is a function of the session alone
 * (pg_temp), and so no part of the schema under test; being a function, it keeps its plans.
 * Sequences go on after the ids that are taken. What was there before is deleted or, if `anew`,
 * truncated.
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
 * After how many resets the tables are truncated. Deleting leaves dead rows behind, so that after
 * thousands of resets every statement is slower; but truncating takes five times as long, and has
 * every session plan its statements anew. (Vacuum would give the planner other figures than a new
 * database has, and so other plans than a replay gets.)
 */
const TRUNCATE_EVERY = 500;

/** Prepares a session. The function that it gives puts a state into the session's database. */
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

const OFFENDING_ROWS = [
  "select * from check_slot_booking_consistency() order by check_name, slot_id, booking_id",
  "select * from check_payment_consistency() order by check_name, booking_id, intent",
];

/**
 * The consistency checks' results and, only if one failed, the rows at fault; and the payments, with
 * how often the gateway has given each of them back, as `refundsOf` says.
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
  const found = { [CHECKS]: checks.rows, [LEDGER]: ledger };
  if (checks.rows.every((row) => row["status"] === "PASS")) return found;
  const offending: JsonObject[] = [];
  for (const sql of OFFENDING_ROWS) {
    offending.push(...(await database.query<JsonObject>(sql)).rows);
  }
  return { ...found, [OFFENDING]: offending };
}
