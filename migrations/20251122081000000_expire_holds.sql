-- If p_now is in the past, no hold that begins during the call is over at p_now, so the first
-- statement sees every hold to expire.
create function expire_holds(p_now timestamptz default now())
  returns integer
  language plpgsql
as $$
declare
  v_bookings bigint[];
  v_slots    bigint[];
begin
  select array_agg(due.id), array_agg(due.slot_id)
    into v_bookings, v_slots
    from (
      select id, slot_id
        from bookings
       where status = 'pending' and hold_expires_at <= p_now
       order by id
         for update
    ) due;

  perform from availability_slots where id = any (v_slots) order by id for update;

  update bookings set status = 'expired', updated_at = now() where id = any (v_bookings);

  update availability_slots
     set is_available = withdrawn_at is null, updated_at = now()
   where id = any (v_slots);

  return coalesce(cardinality(v_bookings), 0);
end
$$;

comment on function expire_holds(timestamptz) is
  'Expires the pending bookings whose hold is over at p_now, frees their slots, and returns their '
  'number. The locks protect a booking that is being paid: its status is checked again after the '
  'wait. With a p_now in the future it may miss bookings that are made meanwhile.';
