create function cancel_booking(p_booking_id bigint, p_actor text default null)
  returns bookings
  language plpgsql
as $$
declare
  v_booking bookings;
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
            hint = 'Only a pending or confirmed booking can be cancelled.';
  end if;

  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = v_booking.slot_id;

  update bookings
     set status = 'cancelled', updated_at = now()
   where id = p_booking_id
  returning * into v_booking;

  update payments
     set status = 'refund_due', updated_at = now()
   where booking_id = p_booking_id and status = 'captured';

  return v_booking;
end
$$;

comment on function cancel_booking(bigint, text) is
  'Ends an active booking, frees its slot and makes its payment due for a refund, in one transaction. '
  'The lock on the booking protects the slot''s next customer: only the first of two cancels frees '
  'the slot, and no reschedule moves the booking meanwhile. p_actor (customer:ID or vendor:ID), if '
  'given, has to be the booking''s customer or provider.';
