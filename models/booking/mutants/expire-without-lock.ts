import { type BookingMutant, rewritten } from "./mutant.ts";

/** Expiry changes the bookings that it read before it locked anything. */
export const expireWithoutLock: BookingMutant = {
  name: "expire-without-lock",
  origin:
    "The job blocked on the locks of requests, so it reads its list without locking. A hold " +
    "that is confirmed between the read and the update expires nevertheless, although the " +
    "customer was told that the booking is confirmed.",
  checker: "serial-equivalence",
  depth: "routine",
  smallest: { operations: 2, preemptions: 1 },
  sql: rewritten("expire_holds", [
    `       order by id
         for update
    ) due;`,
    `       order by id
    ) due;`,
  ]),
};
