create function withdraw_slot(p_slot_id bigint)
  returns availability_slots
  language plpgsql
as $$
declare
  v_slot availability_slots;
begin
  select * into v_slot from availability_slots where id = p_slot_id for update;
  if not found then
    raise exception 'Slot not found'
      using errcode = 'BK001',
            detail = format('There is no slot %s.', p_slot_id),
            hint = 'Choose one of the provider''s free slots.';
  end if;

  if exists (
    select from bookings where slot_id = p_slot_id and status in ('pending', 'confirmed')
  ) then
    raise exception 'Slot has an active booking'
      using errcode = 'BK007',
            detail = format('Slot %s is booked.', p_slot_id),
            hint = 'Cancel or reschedule its booking first.';
  end if;

  update availability_slots
     set is_available = false, withdrawn_at = coalesce(withdrawn_at, now()), updated_at = now()
   where id = p_slot_id
  returning * into v_slot;

  return v_slot;
end
$$;

comment on function withdraw_slot(bigint) is
  'Withdraws a slot that is not booked; a repeat changes nothing. It protects the customer of a booked '
  'slot: the lock on the slot prevents a claim between the check and the update.';
