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

-- Created before the exclusion constraint, since Postgres checks indexes in the order of creation: of
-- two concurrent inserts with the same start the second waits here, before its row blocks others.
-- Inside an exclusion check two inserts can wait for each other.
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
  'The bookings of slots. Pending and confirmed bookings are active and take their slot; the others '
  'are history. One insert writes the whole row, so that no incomplete booking is visible.';
comment on column bookings.idempotency_slot_id is
  'The slot that the create with idempotency_key asked for. It does not change when the booking is '
  'rescheduled, so that a late repeat of the create is still recognised.';
comment on column bookings.hold_expires_at is
  'Until when a pending booking holds its slot. The hold ends at the first expire_holds after this '
  'time; null for a booking that needs no payment.';
comment on column bookings.payment_intent_id is
  'The payment that the create named or, once the booking is confirmed, the one that confirmed it.';
comment on constraint bookings_pkey on bookings is
  'Each booking is one row, so that locking the row locks the booking. Bookings are locked in '
  'this order, and before any slot.';
comment on constraint bookings_slot_fkey on bookings is
  'A booking''s slot exists, and the booking has its provider and times: the overlap rules compare '
  'the times that were booked.';
comment on constraint bookings_status_known on bookings is
  'Only the five known statuses: an unknown one would count as inactive and escape the overlap rules.';
comment on constraint bookings_created_by_known on bookings is
  'Only a customer''s booking needs a payment, so its creator must be known.';
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
