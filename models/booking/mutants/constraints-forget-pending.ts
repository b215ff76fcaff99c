import {
  type BookingMutant,
  CLAIM_LOCK,
  DROP_EXCLUSION,
  DROP_UNIQUE_INDEX,
  rewritten,
} from "./mutant.ts";

/** The constraints cover confirmed bookings only, and the lock is gone. */
export const constraintsForgetPending: BookingMutant = {
  name: "constraints-forget-pending",
  origin:
    "A migration rebuilt both constraints when holds were new, and left pending bookings out. " +
    "Later the lock was removed, since the constraints seemed to suffice.",
  checker: "invariant",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: `
    ${DROP_EXCLUSION}
    ${DROP_UNIQUE_INDEX}
    create unique index idx_bookings_provider_time_unique
      on bookings (provider_id, start_at) where status = 'confirmed';
    alter table bookings add constraint bookings_no_overlap_provider_time
      exclude using gist (provider_id with =, tstzrange(start_at, end_at, '[)') with &&)
      where (status = 'confirmed');
    ${rewritten("claim_slot_and_create_booking", [CLAIM_LOCK, ""])}`,
};
