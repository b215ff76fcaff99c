import type { Pool } from "pg";
import type { Mutant } from "../../../harness/index.ts";
import type { PaymentGateway } from "../../../src/gateway.ts";
import type { BookingStore } from "../../../src/store.ts";

/** A seeded bug of the booking service: a change of the schema, of the service, or of both. */
export type BookingMutant = Mutant & {
  /** Run once, after the migrations. */
  readonly sql?: string;
  /** Replaces some of the service's methods. */
  readonly store?: (store: BookingStore, pool: Pool) => BookingStore;
  /** The size of the service's pool, where that matters. */
  readonly connections?: number;
  /** Replaces some of the calls of the gateway, which listens at `url`. */
  readonly gateway?: (gateway: PaymentGateway, url: string) => PaymentGateway;
};

/** A text of a routine's source, and what stands there instead. */
type Hunk = readonly [original: string, replacement: string];

/**
 * SQL that changes a PL/pgSQL function of the schema in just these places. It fails unless the
 * function as it is has each original exactly once: a seeded bug must not outlive what it bends.
 */
export function rewritten(routine: string, ...hunks: readonly Hunk[]): string {
  const replacements = hunks.map(
    ([original, replacement]) => `
      original := $text$${original}$text$;
      if cardinality(string_to_array(source, original)) <> 2 then
        raise exception '${routine} does not have exactly once: %', original;
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

/** By which a claim locks its slot, and those that overlap it. */
export const CLAIM_LOCK = "for update of s";

/** By which a reschedule locks both slots, and those that overlap the new one. */
export const RESCHEDULE_LOCK = `  perform
     from availability_slots s
     join availability_slots target on target.id = p_new_slot_id
    where s.id = v_booking.slot_id
       or s.provider_id = target.provider_id
      and tstzrange(s.start_at, s.end_at, '[)') && tstzrange(target.start_at, target.end_at, '[)')
    order by s.id
      for update of s;
`;

/** By which a reschedule frees the slot that the booking leaves. */
export const FREES_OLD_SLOT = `  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = v_booking.slot_id;

`;
