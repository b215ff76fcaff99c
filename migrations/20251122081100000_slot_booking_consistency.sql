-- Each check reads its tables once (anti-joins, one sort by provider and start): its cost grows with
-- their size, not with the square of it.
create function check_slot_booking_consistency()
  returns table (check_name text, slot_id bigint, booking_id bigint, provider_id bigint, details text)
  language sql
  stable
as $$
  select 'unavailable_slot_without_booking', s.id, null::bigint, s.provider_id,
         format('Slot %s is neither available nor withdrawn, and has no active booking.', s.id)
    from availability_slots s
   where not s.is_available
     and s.withdrawn_at is null
     and not exists (
       select from bookings b where b.slot_id = s.id and b.status in ('pending', 'confirmed')
     )

  union all

  select 'slot_with_several_bookings', b.slot_id, max(b.id), min(b.provider_id),
         format('Slot %s has %s active bookings: %s.', b.slot_id, count(*), (
           select string_agg(o.id::text, ', ' order by o.id)
             from bookings o
            where o.slot_id = b.slot_id and o.status in ('pending', 'confirmed')
         ))
    from bookings b
   where b.status in ('pending', 'confirmed')
   group by b.slot_id
  having count(*) > 1

  union all

  select 'booking_without_claimed_slot', b.slot_id, b.id, b.provider_id,
         format('Booking %s is active, but its slot %s %s.', b.id, b.slot_id,
                case
                  when s.id is null then 'does not exist'
                  when s.is_available then 'is still available'
                  else 'was withdrawn'
                end)
    from bookings b
    left join availability_slots s on s.id = b.slot_id
   where b.status in ('pending', 'confirmed')
     and (s.id is null or s.is_available or s.withdrawn_at is not null)

  union all

  -- In the order of starts, a booking overlaps an earlier one if and only if it begins before the
  -- latest end so far. Otherwise it begins a new cluster of overlapping bookings.
  select 'overlapping_bookings', (array_agg(c.slot_id order by c.id desc))[1], max(c.id),
         c.provider_id,
         format('Bookings %s of provider %s overlap.',
                string_agg(c.id::text, ', ' order by c.id), c.provider_id)
    from (
      select r.id, r.slot_id, r.provider_id,
             count(*) filter (where r.begins) over (
               partition by r.provider_id order by r.start_at, r.id
             ) as cluster
        from (
          select b.id, b.slot_id, b.provider_id, b.start_at,
                 coalesce(b.start_at >= max(b.end_at) over (
                   partition by b.provider_id order by b.start_at, b.id
                   rows between unbounded preceding and 1 preceding
                 ), true) as begins
            from bookings b
           where b.status in ('pending', 'confirmed')
        ) r
    ) c
   group by c.provider_id, c.cluster
  having count(*) > 1
$$;

create function verify_booking_slot_consistency()
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
             (array_agg(found.details order by found.slot_id, found.booking_id))[1:10], ' ')
             || case when count(found.check_name) > 10
                  then format(' And %s more.', count(found.check_name) - 10) else '' end
         end
    from (
      values
        (1, 'unavailable_slot_without_booking', 'Every unavailable slot is booked or withdrawn.'),
        (2, 'slot_with_several_bookings', 'No slot has more than one active booking.'),
        (3, 'booking_without_claimed_slot', 'Every active booking holds its slot.'),
        (4, 'overlapping_bookings', 'No two active bookings of a provider overlap.')
    ) expected (position, check_name, promise)
    left join check_slot_booking_consistency() found on found.check_name = expected.check_name
   group by expected.position, expected.check_name, expected.promise
   order by expected.position
$$;

comment on function check_slot_booking_consistency() is
  'The rows that violate an invariant of the calendar, one row for each slot, booking or cluster of '
  'overlapping bookings. It finds violations that no constraint prevents, or whose constraint is lost.';
comment on function verify_booking_slot_consistency() is
  'One row for each check: PASS or FAIL, the number of violations, and descriptions of the first ten. '
  'Read by audits.';
