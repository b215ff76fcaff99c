import type { Booking, FoundBooking, Provider, Slot } from "./booking.ts";
import { type Html, html } from "./html.ts";
import { errorCards, page } from "./page-frame.ts";
import { period, slotChoice, timeOfDay } from "./slot-choice.ts";

const HEADINGS: { readonly [status in Booking["status"]]: string } = {
  pending: "Your time is held",
  confirmed: "Your booking is confirmed",
  cancelled: "Your booking is cancelled",
  completed: "Your booking",
  expired: "Your time was held, and is not any more",
};

/** What became of a booking, and what its customer can do about it. */
export function bookingPage(
  { booking, holdOver }: FoundBooking,
  vendor: Provider,
  slots: readonly Slot[],
): string {
  const heading = holdOver ? "The time to pay is over" : HEADINGS[booking.status];
  const active = booking.status === "pending" || booking.status === "confirmed";
  const content = html`${errorCards}
<div id="booking" data-booking="${booking.id}">
<h1>${heading}</h1>
<dl>
<dt>With</dt><dd>${vendor.name}</dd>
<dt>When</dt><dd>${period(booking)} (UTC)</dd>
<dt>For</dt><dd>${booking.customerName}</dd>
<dt>Number</dt><dd>${booking.id}</dd>
</dl>
${booking.status === "pending" ? payment(booking, holdOver) : ""}
${active ? changes(slots) : ""}
<p><output id="progress" role="status"></output></p>
<p><a href="/book/${vendor.id}">${active ? "Book another time" : "Choose a time"}</a></p>
</div>`;
  return page(heading, content, "booking");
}

/** A payment that comes late still gets the time, unless somebody else has got it: see record_payment. */
function payment({ holdExpiresAt }: Booking, holdOver: boolean): Html {
  const until = holdExpiresAt === null ? "" : ` for you until ${timeOfDay(holdExpiresAt)} UTC.`;
  const held = until && (holdOver ? ` It was held${until}` : ` It is held${until}`);
  const offer = holdOver
    ? "You can still pay: if nobody else has taken the time, it is yours; otherwise your money comes back."
    : "Pay to confirm it.";
  return html`<section>
<p>${offer}${held}</p>
<p class="bar"><button type="button" id="pay">Pay</button></p>
</section>`;
}

function changes(slots: readonly Slot[]): Html {
  return html`<details>
<summary>Move to another time</summary>
<form id="reschedule" autocomplete="off">
${slotChoice("Choose another time", slots)}
<p class="bar"><button type="submit">Move</button></p>
</form>
</details>
<details>
<summary>Cancel</summary>
<p>The time goes to somebody else, and what you have paid comes back to you.</p>
<p class="bar"><button type="button" id="cancel" class="danger">Cancel the booking</button></p>
</details>`;
}
