import type { Pool } from "pg";
import type { SeededBug } from "../../../harness/index.ts";
import type { PaymentGateway } from "../../../src/gateway.ts";
import type { BookingStore } from "../../../src/store.ts";

/** A seeded bug of the booking service: a change of the schema, of the service, or of both. */
export type BookingMutant = SeededBug & {
  /** Run once, after the migrations. */
  readonly sql?: string;
  /** Replaces some of the service's methods. */
  readonly store?: (store: BookingStore, pool: Pool) => BookingStore;
  /** The size of the service's pool, if the bug needs a certain one. */
  readonly connections?: number;
  /** Replaces some of the calls of the gateway, which listens at `url`. */
  readonly gateway?: (gateway: PaymentGateway, url: string) => PaymentGateway;
};

/** A text of a routine's source, and its replacement. */
type Hunk = readonly [original: string, replacement: string];

/**
 * Returns SQL that replaces these texts in a PL/pgSQL function of the schema. The SQL fails unless the
 * function contains each original exactly once, so that a change of the schema cannot disable a seeded
 * bug silently.
 */
export function rewritten(routine: string, ...hunks: readonly Hunk[]): string {
  const replacements = hunks.map(
    ([original, replacement]) => `
      original := $text$${original}$text$;
      if cardinality(string_to_array(source, original)) <> 2 then
        raise exception '${routine} does not contain exactly once: %', original;
      end if;
      source := replace(source, original, $text$${replacement}$text$);`,
  );
  return `
    do $do$
    declare
      source   text := pg_get_functiondef('${routine}'::regproc);
      original text;
    begin
      ${replacements.join("")}
      execute source;
    end
    $do$;`;
}

/*
 * Parts of the schema that several seeded bugs change.
 */

export const DROP_UNIQUE_INDEX = "drop index idx_bookings_provider_time_unique;";

export const DROP_EXCLUSION =
  "alter table bookings drop constraint bookings_no_overlap_provider_time;";

/** The clause by which a claim locks its slot and all overlapping ones. */
export const CLAIM_LOCK = "for update of s";

/** The statement by which a reschedule locks both slots and those that overlap the new one. */
export const RESCHEDULE_LOCK = `  perform
     from availability_slots s
     join availability_slots target on target.id = p_new_slot_id
    where s.id = v_booking.slot_id
       or s.provider_id = target.provider_id
      and tstzrange(s.start_at, s.end_at, '[)') && tstzrange(target.start_at, target.end_at, '[)')
    order by s.id
      for update of s;
`;

/** The statement by which a reschedule frees the old slot. */
export const FREES_OLD_SLOT = `  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = v_booking.slot_id;

`;
