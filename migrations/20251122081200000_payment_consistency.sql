create function check_payment_consistency()
  returns table (check_name text, intent text, booking_id bigint, details text)
  language sql
  stable
as $$
  select 'captured_payment_without_booking', p.intent, p.booking_id,
         format('Payment %s is kept, but its booking %s is %s.',
                p.intent, p.booking_id, coalesce(b.status, 'missing'))
    from payments p
    left join bookings b on b.id = p.booking_id
   where p.status = 'captured'
     and (b.status is null or b.status not in ('confirmed', 'completed'))

  union all

  select 'confirmed_booking_without_payment', null, b.id,
         format('Booking %s is confirmed, and its customer has not paid.', b.id)
    from bookings b
   where b.status = 'confirmed'
     and b.created_by = 'customer'
     and not exists (
       select from payments p where p.booking_id = b.id and p.status = 'captured'
     )

  union all

  select 'booking_with_several_payments', max(p.intent), p.booking_id,
         format('Booking %s was paid %s times: %s.', p.booking_id, count(*),
                string_agg(p.intent, ', ' order by p.intent))
    from payments p
   where p.status = 'captured'
   group by p.booking_id
  having count(*) > 1
$$;

create function verify_payment_consistency()
  returns table (check_name text, status text, violations bigint, details text)
  language sql
  stable
as $$
  select expected.check_name,
         case when count(found.check_name) = 0 then 'PASS' else 'FAIL' end,
         count(found.check_name),
         case
           when count(found.check_name) = 0 then expected.promise
           else array_to_string(
             (array_agg(found.details order by found.booking_id, found.intent))[1:10], ' ')
             || case when count(found.check_name) > 10
                  then format(' And %s more.', count(found.check_name) - 10) else '' end
         end
    from (
      values
        (1, 'captured_payment_without_booking', 'Every payment that is kept has an active booking.'),
        (2, 'confirmed_booking_without_payment', 'Every confirmed customer booking is paid.'),
        (3, 'booking_with_several_payments', 'No booking is paid more than once.')
    ) expected (position, check_name, promise)
    left join check_payment_consistency() found on found.check_name = expected.check_name
   group by expected.position, expected.check_name, expected.promise
   order by expected.position
$$;

comment on function check_payment_consistency() is
  'The payments and bookings that violate an invariant of payments, one row each. It protects '
  'customers from paying for nothing, and vendors from giving away time.';
comment on function verify_payment_consistency() is
  'One row for each check: PASS or FAIL, the number of violations, and descriptions of the first ten. '
  'It holds at every moment: payments that are not refunded yet are marked as due.';
