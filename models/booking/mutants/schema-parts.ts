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
