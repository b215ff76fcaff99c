import type { BookingMutant } from "./mutant.ts";
import { rewritten } from "./rewritten.ts";

/** A confirm looks at a booking that it has not locked. */
export const confirmWithoutLock: BookingMutant = {
  name: "confirm-without-lock",
  story:
    "The status was checked two lines above, so the lock seemed to protect nothing. A cancel " +
    "between the check and the change is undone, on a slot that is free by then.",
  judge: "invariant",
  depth: "routine",
  smallest: { commands: 2, preemptions: 1 },
  sql: rewritten("confirm_booking", [
    `where id = p_booking_id for update`,
    `where id = p_booking_id`,
  ]),
};
