import { type BookingMutant, rewritten } from "./mutant.ts";

/** The end of holds goes by what was seen before anything was locked. */
export const expireWithoutLock: BookingMutant = {
  name: "expire-without-lock",
  story:
    "The job ran into the locks of its own requests, and got its list without locking. A hold " +
    "that is confirmed between the list and the change ends nevertheless: the customer was " +
    "told that the booking is definite.",
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
