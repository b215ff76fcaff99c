create table bookings (
  id                  bigint generated always as identity,
  slot_id             bigint         not null,
  provider_id         bigint         not null,
  customer_id         text           not null,
  customer_name       text           not null,
  notes               text,
  start_at            timestamptz(3) not null,
  end_at              timestamptz(3) not null,
  status              text           not null,
  idempotency_key     text,
  idempotency_slot_id bigint,
  payment_intent_id   text,
  created_by          text           not null default 'customer',
  hold_expires_at     timestamptz,
  created_at          timestamptz    not null default now(),
  updated_at          timestamptz    not null default now(),

  constraint bookings_pkey primary key (id),
  constraint bookings_slot_fkey foreign key (slot_id, provider_id, start_at, end_at)
    references availability_slots (id, provider_id, start_at, end_at),
  constraint bookings_status_known
    check (status in ('pending', 'confirmed', 'cancelled', 'completed', 'expired')),
  constraint bookings_created_by_known check (created_by in ('customer', 'vendor'))
);

-- Before the exclusion constraint, since Postgres checks indexes in the order of their creation:
-- of two rivals for one time the second waits here, where it blocks nobody yet. Inside an
-- exclusion check two rivals can each wait for the other.
create unique index idx_bookings_provider_time_unique
  on bookings (provider_id, start_at)
  where status in ('pending', 'confirmed');

alter table bookings add constraint bookings_no_overlap_provider_time
  exclude using gist (provider_id with =, tstzrange(start_at, end_at, '[)') with &&)
  where (status in ('pending', 'confirmed'));

create unique index idx_bookings_idempotency_key
  on bookings (customer_id, idempotency_key)
  where idempotency_key is not null;

create index idx_bookings_slot on bookings (slot_id);

create index idx_bookings_hold_expiry on bookings (hold_expires_at) where status = 'pending';

comment on table bookings is
  'Who has which slot. Pending and confirmed bookings are active and hold their slot; the others '
  'are history. A row is written whole, by one insert, so that no half of a booking is ever seen.';
comment on column bookings.idempotency_slot_id is
  'The slot that was asked for with idempotency_key. It stays when the booking is rescheduled, so '
  'that a late repeat of the create is still known as the same request.';
comment on column bookings.hold_expires_at is
  'Until when a pending booking holds its slot. The hold ends when expire_holds finds it past, '
  'not before; null for a booking that needs no payment.';
comment on column bookings.payment_intent_id is
  'What the create named or, once a payment has confirmed the booking, that payment.';
comment on constraint bookings_pkey on bookings is
  'Each booking is one row, so that locking the row locks the booking. Bookings are locked in '
  'this order, and before any slot.';
comment on constraint bookings_slot_fkey on bookings is
  'A booking''s slot exists, and the booking has that slot''s provider and times: what the '
  'overlap rules compare is what was booked.';
comment on constraint bookings_status_known on bookings is
  'Only the five known statuses: an unknown one would count as inactive and escape the overlap rules.';
comment on constraint bookings_created_by_known on bookings is
  'Whether a booking needs a payment depends on who made it, so that must be known.';
comment on constraint bookings_no_overlap_provider_time on bookings is
  'No double booking: active bookings of one provider never overlap. Ranges are half-open, so '
  'adjacent ones do not collide.';
comment on index bookings_pkey is
  'Finds a booking by id, and backs the primary key.';
comment on index bookings_no_overlap_provider_time is
  'Backs the exclusion constraint, and finds the active bookings that overlap a slot.';
comment on index idx_bookings_provider_time_unique is
  'No two active bookings of one provider begin together. Slots are not empty, so such bookings '
  'always overlap; this holds even where the exclusion constraint is missing.';
comment on index idx_bookings_idempotency_key is
  'One booking for each idempotency key of a customer: a repeated create cannot book twice, even '
  'when both arrive together.';
comment on index idx_bookings_slot is
  'Finds the bookings of a slot: for withdraw_slot, the consistency checks and the foreign key.';
comment on index idx_bookings_hold_expiry is
  'Finds the holds that have run out without reading all bookings.';
