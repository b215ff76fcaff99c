import type { BookingMutant } from "./mutant.ts";

/** A trigger keeps a provider's number of bookings: it reads the number, and writes one more. */
export const bookingsCountedByTrigger: BookingMutant = {
  name: "bookings-counted-by-trigger",
  origin:
    "A page needed the number of a provider's bookings at once, so a trigger keeps it. Two bookings " +
    "at the same moment count as one. No check knows of the new column, and no answer shows it.",
  checker: "serial-equivalence",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: `
    alter table providers add column bookings_made integer not null default 0;

    create function count_booking() returns trigger language plpgsql as $$
    declare
      v_made integer;
    begin
      select bookings_made into v_made from providers where id = new.provider_id;
      update providers set bookings_made = v_made + 1 where id = new.provider_id;
      return null;
    end
    $$;
    create trigger count_booking after insert on bookings
      for each row execute function count_booking();

    create function count_bookings_anew() returns trigger language plpgsql as $$
    begin
      update providers p
         set bookings_made = (select count(*) from bookings b where b.provider_id = p.id);
      return null;
    end
    $$;
    create trigger count_bookings_anew after delete on bookings
      for each statement execute function count_bookings_anew();`,
};
