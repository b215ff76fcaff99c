import { type BookingMutant, rewritten } from "./mutant.ts";

/** An exception handler turns a refusal into a success. */
export const rescheduleSwallowsRefusal: BookingMutant = {
  name: "reschedule-swallows-refusal",
  story:
    "A job moves bookings in bulk, and one that could not be moved was not to stop the " +
    "others. Whoever moves a booking to a slot that is taken is told that it was moved.",
  checker: "linearizability",
  depth: "statement",
  smallest: { operations: 1, preemptions: 0 },
  sql: rewritten("reschedule_booking", [
    `  return v_booking;
end
`,
    `  return v_booking;
exception when others then
  return v_booking;
end
`,
  ]),
};
