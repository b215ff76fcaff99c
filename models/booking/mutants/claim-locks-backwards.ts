import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";

/** A claim locks slots in the order opposite to everybody else. */
export const claimLocksBackwards: BookingMutant = {
  name: "claim-locks-backwards",
  story:
    "Somebody wanted the newest slots first, and the order of the lock was taken for a matter " +
    "of taste. A claim and a reschedule that meet on overlapping slots can wait for each " +
    "other.",
  judge: "contract",
  depth: "routine",
  smallest: { commands: 3, preemptions: 1 },
  sql: rewritten("claim_slot_and_create_booking", [`order by s.id`, `order by s.id desc`]),
};
