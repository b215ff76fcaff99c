import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { openReset } from "./database.ts";
import booking from "./index.ts";
import { APART, type BookingState, initialState, type SlotPlan } from "./state.ts";

let server: Server;
let database: Client;

beforeAll(async () => {
  server = await startServer(testPostgres);
  const { url } = await server.lease();
  await booking.migrate(url, undefined);
  database = new Client({ connectionString: url });
  await database.connect();
});

afterAll(async () => {
  await database.end();
  await server.stop();
});

const outcomes: readonly SlotPlan["outcome"][] = [
  "free",
  "cancelled",
  "refund",
  "expired",
  "pending",
  "lapsed",
  "confirmed",
  "withdrawn",
];

const empty = initialState(
  outcomes.map((outcome) => ({ outcome, sameProvider: true, gap: APART, past: false })),
);
const rich: BookingState = {
  ...empty,
  providers: [
    { id: 1, name: `O'Hara & "Sons" \\ 🦓` },
    { id: 2, name: "山田" },
  ],
  bookings: empty.bookings.map((one) => ({ ...one, customerName: "'; drop", notes: "a\n\\b" })),
};
const small: BookingState = {
  providers: [{ id: 2, name: "Two" }],
  slots: [],
  bookings: [],
  payments: [],
};

/** The state of the database. */
async function read(): Promise<BookingState> {
  const iso = `'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"'`;
  const { rows } = await database.query<{ state: BookingState }>(`
    select json_build_object(
      'providers', (select coalesce(json_agg(json_build_object('id', id, 'name', name)
                                             order by id), '[]') from providers),
      'slots', (select coalesce(json_agg(json_build_object(
          'id', id, 'provider', provider_id, 'startAt', to_char(start_at, ${iso}),
          'endAt', to_char(end_at, ${iso}), 'available', is_available,
          'withdrawn', withdrawn_at is not null) order by id), '[]') from availability_slots),
      'bookings', (select coalesce(json_agg(json_build_object(
          'id', id, 'slot', slot_id, 'customer', customer_id, 'customerName', customer_name,
          'notes', notes, 'status', status, 'createdBy', created_by,
          'holdExpiresAt', to_char(hold_expires_at, ${iso})) order by id), '[]') from bookings),
      'payments', (select coalesce(json_agg(json_build_object('intent', intent,
          'booking', booking_id, 'status', status) order by intent), '[]') from payments)
    ) as state`);
  const [row] = rows;
  if (row === undefined) throw new Error("no row");
  return row.state;
}

async function nextBooking(slot: number): Promise<string> {
  const { rows } = await database.query<{ id: string }>(
    "select id from claim_slot_and_create_booking($1, 1, 'c', 'n', '')",
    [slot],
  );
  return rows[0]?.id ?? "none";
}

test("sets the state and the next ids, whatever the tables contain", async () => {
  const reset = await openReset(database);
  for (const state of [rich, small, rich, { ...small, providers: [] }, rich]) {
    await reset(state);
    expect(await read()).toEqual(state);
  }
  expect(await nextBooking(1)).toBe("7");
  await reset(rich);
  expect(await nextBooking(1)).toBe("7");
});

test("adds nothing to the schema under test", async () => {
  const routines = "select count(*) from pg_proc where pronamespace = 'public'::regnamespace";
  const before = await database.query(routines);
  const reset = await openReset(database);
  await reset(rich);
  expect((await database.query(routines)).rows).toEqual(before.rows);
});
