import type { BookingMutant } from "./mutant.ts";

/** A trigger reads a provider's number of bookings, and writes it back plus one. */
export const bookingsCountedByTrigger: BookingMutant = {
  name: "bookings-counted-by-trigger",
  origin:
    "A page needed the number of a provider's bookings, so a trigger maintains it. Two " +
    "concurrent bookings count as one. No check covers the new column, and no answer shows " +
    "it.",
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
