-- A repeat of a create has to have the same content as the first one. Name, notes and creator of a
-- booking never change, but a payment replaces payment_intent_id: the requested one is stored apart.
alter table bookings add column idempotency_payment_intent_id text;

update bookings
   set idempotency_payment_intent_id = payment_intent_id
 where idempotency_key is not null;

comment on column bookings.idempotency_payment_intent_id is
  'The payment that the create with idempotency_key named. It does not change when the booking is '
  'paid, so that a late repeat of the create is still recognised.';

create or replace function claim_slot_and_create_booking(
  p_slot_id           bigint,
  p_provider_id       bigint,
  p_customer_id       text,
  p_customer_name     text,
  p_notes             text,
  p_idempotency_key   text     default null,
  p_payment_intent_id text     default null,
  p_created_by        text     default 'customer',
  p_hold              interval default '15 minutes'
)
  returns bookings
  language plpgsql
as $$
declare
  v_slot    availability_slots;
  v_booking bookings;
  v_now     timestamptz;
begin
  perform
     from availability_slots s
     join availability_slots target on target.id = p_slot_id
    where s.provider_id = target.provider_id
      and tstzrange(s.start_at, s.end_at, '[)') && tstzrange(target.start_at, target.end_at, '[)')
    order by s.id
      for update of s;

  select * into v_booking
    from bookings
   where customer_id = p_customer_id and idempotency_key = p_idempotency_key;
  if found then
    if (v_booking.provider_id, coalesce(v_booking.idempotency_slot_id, v_booking.slot_id),
        v_booking.customer_name, v_booking.notes, v_booking.idempotency_payment_intent_id,
        v_booking.created_by)
       is distinct from
       (p_provider_id, p_slot_id, p_customer_name, p_notes, p_payment_intent_id, p_created_by) then
      raise exception 'Idempotency key was used for a different request'
        using errcode = 'BK008',
              detail = format('The key belongs to booking %s.', v_booking.id),
              hint = 'Use a new key for each new request.';
    end if;
    return v_booking;
  end if;

  select * into v_slot from availability_slots where id = p_slot_id;
  if not found then
    raise exception 'Slot not found'
      using errcode = 'BK001',
            detail = format('There is no slot %s.', p_slot_id),
            hint = 'Choose one of the provider''s free slots.';
  end if;

  if v_slot.provider_id is distinct from p_provider_id then
    raise exception 'Slot provider mismatch'
      using errcode = 'BK002',
            detail = format('Slot %s is not of provider %s.', p_slot_id, p_provider_id),
            hint = 'Choose a slot of that provider.';
  end if;

  -- Not now(): the slot may have begun while this claim waited for the lock.
  v_now := clock_timestamp();
  if v_slot.start_at <= v_now then
    raise exception 'Cannot create booking in the past'
      using errcode = 'BK003',
            detail = format('Slot %s has begun already.', p_slot_id),
            hint = 'Select a time that is still to come.';
  end if;

  if not v_slot.is_available or exists (
    select from bookings b
     where b.provider_id = v_slot.provider_id
       and b.status in ('pending', 'confirmed')
       and tstzrange(b.start_at, b.end_at, '[)') && tstzrange(v_slot.start_at, v_slot.end_at, '[)')
  ) then
    raise exception 'Slot is not available'
      using errcode = 'BK004',
            detail = format('Slot %s was taken or withdrawn, or overlaps a booking.', p_slot_id),
            hint = 'Select a different time.';
  end if;

  insert into bookings (
    slot_id, provider_id, customer_id, customer_name, notes, start_at, end_at, status,
    idempotency_key, idempotency_slot_id, idempotency_payment_intent_id, payment_intent_id,
    created_by, hold_expires_at
  )
  values (
    v_slot.id, v_slot.provider_id, p_customer_id, p_customer_name, p_notes,
    v_slot.start_at, v_slot.end_at,
    case p_created_by when 'vendor' then 'confirmed' else 'pending' end,
    p_idempotency_key, case when p_idempotency_key is not null then v_slot.id end,
    case when p_idempotency_key is not null then p_payment_intent_id end,
    p_payment_intent_id, p_created_by,
    case p_created_by when 'vendor' then null else v_now + p_hold end
  )
  on conflict (customer_id, idempotency_key) where idempotency_key is not null do nothing
  returning * into v_booking;
  -- The key was inserted after the look-up, by a claim that needed none of the same locks, and so of
  -- another slot.
  if not found then
    raise exception 'Idempotency key was used for a different request'
      using errcode = 'BK008',
            detail = 'The key was used for another slot at the same moment.',
            hint = 'Use a new key for each new request.';
  end if;

  update availability_slots set is_available = false, updated_at = now() where id = v_slot.id;

  return v_booking;
end
$$;

comment on function
  claim_slot_and_create_booking(bigint, bigint, text, text, text, text, text, text, interval) is
  'The only way to make a booking: takes the slot and writes the whole booking in one transaction. It '
  'protects against double bookings (locks the slot and all overlapping ones, then checks), against '
  'incomplete bookings (one insert), and against two bookings for one request (idempotency key: a '
  'repeat returns the first booking in its current status, and another request with the key is '
  'refused).';
