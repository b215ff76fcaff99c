import { type BookingMutant, rewritten } from "./mutant.ts";

/** A create is answered before its booking is on disk. */
export const claimAnswersBeforeDurable: BookingMutant = {
  name: "claim-answers-before-durable",
  origin:
    "On the first day of a sale most of the time went into waiting for the disk, so claims " +
    "commit asynchronously. When the server crashes, the last bookings are lost although " +
    "their customers were told of success.",
  checker: "linearizability",
  depth: "crash",
  smallest: { operations: 1, preemptions: 0, faults: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    "\nbegin\n",
    "\nbegin\n  perform set_config('synchronous_commit', 'off', true);\n",
  ]),
};
