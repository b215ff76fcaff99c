import { type BookingMutant, rewritten } from "./mutant.ts";

/** The answer to a create does not wait until the booking is on disk. */
export const claimAnswersBeforeDurable: BookingMutant = {
  name: "claim-answers-before-durable",
  story:
    "On the first day of a sale most of the time went into waiting for the disk, so a claim commits " +
    "asynchronously since then. When the server crashes, the last few customers have been told " +
    "that they have a slot, and nobody knows of their bookings.",
  checker: "linearizability",
  depth: "crash",
  smallest: { operations: 1, preemptions: 0, faults: 1 },
  sql: rewritten("claim_slot_and_create_booking", [
    "\nbegin\n",
    "\nbegin\n  perform set_config('synchronous_commit', 'off', true);\n",
  ]),
};
