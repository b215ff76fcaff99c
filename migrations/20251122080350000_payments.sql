-- The primary key is the gateway's id: a payment that is recorded twice is one row, and a refusal
-- uses no id of a sequence.
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
  'The payments of bookings. A captured payment belongs to a confirmed or completed booking; any other '
  'one that was paid is refund_due until the gateway has refunded it.';
comment on constraint payments_pkey on payments is
  'Each payment intent is one row, however often the gateway reports it.';
comment on constraint payments_booking_fkey on payments is
  'No payment without its booking.';
comment on constraint payments_status_known on payments is
  'Only the four known statuses: a payment with an unknown one would be neither kept nor refunded.';
comment on index payments_pkey is
  'Finds a payment by its intent, and backs the primary key. Payments are locked last, after '
  'bookings and slots.';
comment on index idx_payments_booking_captured is
  'No booking is paid twice: a second payment can only be refunded.';
comment on index idx_payments_booking is
  'Finds the payments of a booking: for cancel_booking, the checks and the foreign key.';
comment on index idx_payments_refund_due is
  'Finds the payments to refund without reading all payments.';
