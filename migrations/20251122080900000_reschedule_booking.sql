-- Locks the booking, so that its slot cannot change; then by id the old slot, the new one and those
-- that overlap the new one. So crossing reschedules cannot deadlock.
create function reschedule_booking(
  p_booking_id  bigint,
  p_new_slot_id bigint,
  p_actor       text default null
)
  returns bookings
  language plpgsql
as $$
declare
  v_booking bookings;
  v_slot    availability_slots;
begin
  select * into v_booking from bookings where id = p_booking_id for update;
  if not found then
    raise exception 'Booking not found'
      using errcode = 'BK005',
            detail = format('There is no booking %s.', p_booking_id),
            hint = 'Check the booking''s id.';
  end if;

  if p_actor not in ('customer:' || v_booking.customer_id, 'vendor:' || v_booking.provider_id) then
    raise exception 'That is not yours to change'
      using errcode = 'BK010',
            detail = format('Booking %s is not of %s.', p_booking_id, p_actor),
            hint = 'Customers have their own bookings, vendors their own calendars.';
  end if;

  if v_booking.status not in ('pending', 'confirmed') then
    raise exception 'Booking is not active'
      using errcode = 'BK006',
            detail = format('Booking %s is %s.', p_booking_id, v_booking.status),
            hint = 'Only a pending or confirmed booking can be rescheduled.';
  end if;

  -- The booking has this slot already: a repeated reschedule succeeds like the first.
  if v_booking.slot_id = p_new_slot_id then
    return v_booking;
  end if;

  perform
     from availability_slots s
     join availability_slots target on target.id = p_new_slot_id
    where s.id = v_booking.slot_id
       or s.provider_id = target.provider_id
      and tstzrange(s.start_at, s.end_at, '[)') && tstzrange(target.start_at, target.end_at, '[)')
    order by s.id
      for update of s;

  select * into v_slot from availability_slots where id = p_new_slot_id;
  if not found then
    raise exception 'Slot not found'
      using errcode = 'BK001',
            detail = format('There is no slot %s.', p_new_slot_id),
            hint = 'Choose one of the provider''s free slots.';
  end if;

  if v_slot.provider_id <> v_booking.provider_id then
    raise exception 'Slot provider mismatch'
      using errcode = 'BK002',
            detail = format('Slot %s is not of provider %s.', p_new_slot_id, v_booking.provider_id),
            hint = 'Choose a slot of the same provider.';
  end if;

  -- Not now(): the slot may have begun while this call waited for the lock.
  if v_slot.start_at <= clock_timestamp() then
    raise exception 'Cannot create booking in the past'
      using errcode = 'BK003',
            detail = format('Slot %s has begun already.', p_new_slot_id),
            hint = 'Select a time that is still to come.';
  end if;

  if not v_slot.is_available or exists (
    select from bookings b
     where b.provider_id = v_slot.provider_id
       and b.status in ('pending', 'confirmed')
       and b.id <> p_booking_id
       and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(v_slot.start_at, v_slot.end_at, '[)')
  ) then
    raise exception 'Slot is not available'
      using errcode = 'BK004',
            detail = format('Slot %s was taken or withdrawn, or overlaps a booking.', p_new_slot_id),
            hint = 'Select a different time.';
  end if;

  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = v_booking.slot_id;

  update availability_slots set is_available = false, updated_at = now() where id = v_slot.id;

  update bookings
     set slot_id = v_slot.id, start_at = v_slot.start_at, end_at = v_slot.end_at, updated_at = now()
   where id = p_booking_id
  returning * into v_booking;

  return v_booking;
end
$$;

comment on function reschedule_booking(bigint, bigint, text) is
  'Moves an active booking to another free, future slot of the same provider; a move to its own slot '
  'changes nothing. One transaction frees the old slot and takes the new one, so that the customer '
  'never has both or neither. Locks are taken in one order, so that crossing moves do not deadlock. '
  'p_actor (customer:ID or vendor:ID), if given, has to be the booking''s customer or provider.';
