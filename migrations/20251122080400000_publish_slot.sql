-- Idempotent: a published slot stays as it is, booked or not; a withdrawn one is published again.
create function publish_slot(p_provider_id bigint, p_start timestamptz, p_end timestamptz)
  returns availability_slots
  language plpgsql
as $$
declare
  v_slot availability_slots;
begin
  insert into availability_slots (provider_id, start_at, end_at)
  values (p_provider_id, p_start, p_end)
  on conflict (provider_id, start_at, end_at) do update
     set is_available = true, withdrawn_at = null, updated_at = now()
   where availability_slots.withdrawn_at is not null
  returning * into v_slot;

  if not found then
    select * into v_slot
      from availability_slots
     where provider_id = p_provider_id
       and start_at = p_start::timestamptz(3)
       and end_at = p_end::timestamptz(3);
  end if;

  return v_slot;
end
$$;

comment on function publish_slot(bigint, timestamptz, timestamptz) is
  'Publishes a slot, once: a withdrawn slot of the same time is published again, any other is '
  'returned unchanged. It protects a booked slot from being made available again.';
