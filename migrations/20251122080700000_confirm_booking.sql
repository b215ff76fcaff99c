create function confirm_booking(p_booking_id bigint, p_payment_intent_id text default null)
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

  if v_booking.status <> 'pending' then
    raise exception 'Booking is not pending'
      using errcode = 'BK006',
            detail = format('Booking %s is %s.', p_booking_id, v_booking.status),
            hint = 'Only a pending booking can be confirmed.';
  end if;

  update bookings
     set status = 'confirmed',
         payment_intent_id = coalesce(p_payment_intent_id, payment_intent_id),
         hold_expires_at = null,
         updated_at = now()
   where id = p_booking_id
  returning * into v_booking;

  return v_booking;
end
$$;

comment on function confirm_booking(bigint, text) is
  'Makes a pending booking definite, with its payment. The lock on the booking protects it against '
  'being cancelled, expired or confirmed a second time between the check and the change.';
