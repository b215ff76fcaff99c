-- Locks the booking, then, only to win a slot back, slots by id, and the payment last. Two events of
-- one payment compete for the lock of its booking.
create function record_payment(
  p_booking_id bigint,
  p_intent     text,
  p_captured   boolean,
  out payment  payments,
  out booking  bookings
)
  language plpgsql
as $$
declare
  v_slot availability_slots;
  v_kept boolean := false;
begin
  select * into booking from bookings where id = p_booking_id for update;
  if not found then
    raise exception 'Booking not found'
      using errcode = 'BK005',
            detail = format('There is no booking %s.', p_booking_id),
            hint = 'Check the booking''s id.';
  end if;

  -- Gateways repeat and reorder events. No later event changes a payment that was captured once.
  select * into payment from payments where intent = p_intent and booking_id = p_booking_id;
  if found and (payment.status <> 'declined' or not p_captured) then
    return;
  end if;

  if p_captured and booking.status = 'pending' then
    update bookings
       set status = 'confirmed', payment_intent_id = p_intent, hold_expires_at = null,
           updated_at = now()
     where id = p_booking_id
    returning * into booking;
    v_kept := true;
  elsif p_captured and booking.status = 'expired' then
    perform
       from availability_slots s
       join availability_slots target on target.id = booking.slot_id
      where s.provider_id = target.provider_id
        and tstzrange(s.start_at, s.end_at, '[)') && tstzrange(target.start_at, target.end_at, '[)')
      order by s.id
        for update of s;

    select * into v_slot from availability_slots where id = booking.slot_id;
    -- Not now(): the slot may have begun while this call waited for the lock.
    if v_slot.is_available and v_slot.start_at > clock_timestamp() and not exists (
      select from bookings b
       where b.provider_id = v_slot.provider_id
         and b.status in ('pending', 'confirmed')
         and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(v_slot.start_at, v_slot.end_at, '[)')
    ) then
      begin
        update bookings
           set status = 'confirmed', payment_intent_id = p_intent, hold_expires_at = null,
               updated_at = now()
         where id = p_booking_id
        returning * into booking;
        update availability_slots set is_available = false, updated_at = now() where id = v_slot.id;
        v_kept := true;
      exception
        -- Above READ COMMITTED the check above misses bookings made while this call waited.
        when exclusion_violation or unique_violation then null;
      end;
    end if;
  end if;

  insert into payments (intent, booking_id, status)
  values (
    p_intent, p_booking_id,
    case when v_kept then 'captured' when p_captured then 'refund_due' else 'declined' end
  )
  on conflict (intent) do update
     set status = excluded.status, updated_at = now()
   where payments.booking_id = excluded.booking_id
  returning * into payment;
  if not found then
    raise exception 'Payment is for a different booking'
      using errcode = 'BK009',
            detail = format('Payment %s is not for booking %s.', p_intent, p_booking_id),
            hint = 'Check the booking''s id.';
  end if;
end
$$;

comment on function record_payment(bigint, text, boolean) is
  'Records the gateway''s status of a payment; repeated and late events are safe. A captured payment '
  'confirms its pending booking. An expired booking wins its slot back if that is still free; any '
  'other captured payment is due for a refund. It protects the customer''s money: a payment is '
  'either kept for a booking or refunded.';
