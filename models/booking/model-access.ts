import type { CalendarBooking } from "./model-calendar.ts";
import type { Create } from "./operations.ts";

/** Who cannot say who he is. */
export const NOBODY = "nobody";

/** A booking is its customer's and its vendor's to change, and nobody else's. */
export function mayChange(booking: CalendarBooking, by: string | undefined): boolean {
  return by === `customer:${booking.customer}` || by === `vendor:${booking.provider}`;
}

/** What is told whoever is no machine, such as the gateway; undefined if it is one. */
export function machinesOnly(by: string | undefined): string | undefined {
  if (by === NOBODY) return "UNAUTHENTICATED";
  return by?.startsWith("system:") ? undefined : "FORBIDDEN";
}

/** Whether somebody may make such a booking: customers for themselves, vendors in their calendar. */
export function mayCreate({ by, createdBy, customer }: Create, provider: number): boolean {
  return by === (createdBy === "vendor" ? `vendor:${provider}` : `customer:${customer}`);
}
