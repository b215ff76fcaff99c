-- No hold that begins while this runs is over by p_now, as long as that is not still to come: so those
-- that the first statement sees are all that there are.
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
  'Ends the pending bookings whose hold has run out, frees their slots, and returns how many. The '
  'locks protect a booking that is being paid: it is looked at again after the wait, and kept. A '
  'p_now that is still to come may miss what is booked meanwhile.';
