-- Known by the id that the gateway gave it, and by no number of our own: a payment that is recorded
-- twice is one row, and a refusal uses up no id.
create table payments (
  intent     text        not null,
  booking_id bigint      not null,
  status     text        not null,
  created_at timestamptz not null default now(),
  updated_at timestamptz not null default now(),

  constraint payments_pkey primary key (intent),
  constraint payments_booking_fkey foreign key (booking_id) references bookings (id),
  constraint payments_status_known
    check (status in ('captured', 'refund_due', 'refunded', 'declined'))
);

create unique index idx_payments_booking_captured on payments (booking_id)
  where status = 'captured';

create index idx_payments_booking on payments (booking_id);

create index idx_payments_refund_due on payments (intent) where status = 'refund_due';

comment on table payments is
  'What became of the money of a booking. A captured payment belongs to a booking; one that does '
  'not, or no longer, is refund_due until the gateway has given it back.';
comment on constraint payments_pkey on payments is
  'Each payment intent is one row, however often the gateway tells of it.';
comment on constraint payments_booking_fkey on payments is
  'No money without a booking that it was meant for.';
comment on constraint payments_status_known on payments is
  'Only the four known statuses: money in an unknown one would be neither kept nor given back.';
comment on index payments_pkey is
  'Finds a payment by its intent, and backs the primary key. Payments are locked last, after '
  'bookings and slots.';
comment on index idx_payments_booking_captured is
  'No booking is paid twice: a second payment can only be given back.';
comment on index idx_payments_booking is
  'Finds the payments of a booking: for cancel_booking, the checks and the foreign key.';
comment on index idx_payments_refund_due is
  'Finds what has to be given back without reading all payments.';
