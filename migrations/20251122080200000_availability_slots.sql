-- Times have milliseconds, the precision of JavaScript dates: a create finds a slot by the times that
-- a list of slots showed.
create table availability_slots (
  id           bigint generated always as identity,
  provider_id  bigint         not null,
  start_at     timestamptz(3) not null,
  end_at       timestamptz(3) not null,
  is_available boolean        not null default true,
  withdrawn_at timestamptz,
  created_at   timestamptz    not null default now(),
  updated_at   timestamptz    not null default now(),

  constraint availability_slots_pkey primary key (id),
  constraint availability_slots_provider_fkey foreign key (provider_id) references providers (id),
  constraint availability_slots_time_order check (start_at < end_at),
  constraint availability_slots_withdrawn_is_unavailable
    check (withdrawn_at is null or not is_available),
  constraint availability_slots_identity unique (id, provider_id, start_at, end_at)
);

create unique index idx_availability_slots_provider_time_lookup
  on availability_slots (provider_id, start_at, end_at);

create index idx_availability_slots_provider_time_overlap
  on availability_slots using gist (provider_id, tstzrange(start_at, end_at, '[)'));

comment on table availability_slots is
  'The times that a provider offers. Slots of one provider may overlap; their bookings may not. '
  'A slot''s provider and times never change, so it can be looked up before it is locked.';
comment on column availability_slots.is_available is
  'False while an active booking holds this very slot, and while the slot is withdrawn. A slot '
  'that overlaps a booked one stays available, and a claim of it is refused.';
comment on column availability_slots.withdrawn_at is
  'When the provider withdrew the slot; null while it is published.';
comment on constraint availability_slots_pkey on availability_slots is
  'Each slot is one row, so that locking the row locks the slot. Slots are locked in this order.';
comment on constraint availability_slots_provider_fkey on availability_slots is
  'No slot without a provider: every slot has an owner.';
comment on constraint availability_slots_time_order on availability_slots is
  'No empty or negative slot: an empty range overlaps nothing, and would escape every overlap rule.';
comment on constraint availability_slots_withdrawn_is_unavailable on availability_slots is
  'A withdrawn slot is never available, even after its booking was cancelled.';
comment on constraint availability_slots_identity on availability_slots is
  'Lets a booking refer to its slot together with the slot''s provider and times.';
comment on index availability_slots_pkey is
  'Finds a slot by id, and backs the primary key.';
comment on index availability_slots_identity is
  'Backs the unique constraint that bookings refer to.';
comment on index idx_availability_slots_provider_time_lookup is
  'Finds the slot that a create names by provider, start and end, and keeps it the only one: '
  'publishing the same time twice never makes a second slot.';
comment on index idx_availability_slots_provider_time_overlap is
  'Finds the slots that overlap a claimed one, to lock them, without reading the provider''s past.';
