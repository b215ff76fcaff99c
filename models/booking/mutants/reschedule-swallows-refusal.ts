import { type BookingMutant, rewritten } from "./mutant.ts";

/** An exception handler turns a refusal into a success. */
export const rescheduleSwallowsRefusal: BookingMutant = {
  name: "reschedule-swallows-refusal",
  origin:
    "A job moves bookings in bulk, and one refusal must not stop it. A customer who moves a " +
    "booking to a taken slot is told that it has moved.",
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
