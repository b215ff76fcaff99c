import { faker } from "@faker-js/faker/locale/en";
import type { Pool } from "pg";

/** A vendor of the demo, with its first free slot. */
export interface Vendor {
  readonly id: string;
  readonly name: string;
  readonly freeSlots: number;
  readonly startAt: Date;
  readonly endAt: Date;
}

const VENDORS = 3;
const DAYS = 14;
const HOURS = [9, 10, 11, 13, 14, 15, 16];

/** The vendors' names and the bookings are the same every day; the slots are the coming weeks'. */
export async function fillWithDemoData(pool: Pool): Promise<Vendor[]> {
  faker.seed(1);
  const names = Array.from({ length: VENDORS }, () => faker.company.name());
  await pool.query("insert into providers (name) select unnest($1::text[])", [names]);
  await pool.query(
    `select publish_slot(p.id, day + hour * interval '1 hour', day + (hour + 1) * interval '1 hour')
       from providers p,
            generate_series(current_date + 1, current_date + $1::integer, interval '1 day') day,
            unnest($2::integer[]) hour
      where extract(isodow from day) < 6
      order by p.id, day, hour`,
    [DAYS, HOURS],
  );
  const slots = await pool.query<{ id: string; provider_id: string }>(
    "select id, provider_id from availability_slots order by id",
  );
  for (const { id, provider_id } of faker.helpers.arrayElements(slots.rows, { min: 40, max: 40 })) {
    await pool.query(
      "select claim_slot_and_create_booking($1, $2, $3, $4, $5, p_created_by => 'vendor')",
      [id, provider_id, faker.string.uuid(), faker.person.fullName(), faker.company.catchPhrase()],
    );
  }
  const vendors = await pool.query<Vendor>(
    `select distinct on (p.id) p.id, p.name, s.start_at as "startAt", s.end_at as "endAt",
            count(*) over (partition by p.id)::integer as "freeSlots"
       from providers p
       join availability_slots s on s.provider_id = p.id and s.is_available
      order by p.id, s.start_at`,
  );
  return vendors.rows;
}
