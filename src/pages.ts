import type { Booking, FoundBooking, Provider, Slot } from "./booking.ts";
import type { ErrorCode, ServiceError } from "./errors.ts";
import { type Html, html } from "./html.ts";

const noScript = html`<noscript>
<p class="card problem">This page needs JavaScript. Allow it in your browser, then reload the page.</p>
</noscript>`;

/** A whole page. `script` names its module in `src/browser`. */
function page(title: string, content: Html, script?: "book" | "booking"): string {
  const module = script && html`<script type="module" src="/assets/${script}.js"></script>`;
  return html`<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${title}</title>
<link rel="icon" href="data:,">
<link rel="stylesheet" href="/assets/style.css">
${module ?? ""}
</head>
<body>
<main>
${script === undefined ? "" : noScript}
${content}
</main>
</body>
</html>
`.html;
}

/** The cards for refusals, hidden at first: an orange one for conflicts, one for everything else. */
const errorCards: Html = html`
<section id="conflict" class="card conflict" role="alert" tabindex="-1" hidden>
<h2 data-message></h2>
<p data-hint></p>
<button type="button">Select a different time</button>
</section>
<section id="problem" class="card problem" role="alert" tabindex="-1" hidden>
<h2 data-message></h2>
<p data-hint></p>
<button type="button">Try again</button>
</section>`;

const NO_PAGE = ["There is no such page", "Check the address, or ask for it again."] as const;
const NOT_SHOWN = [
  "This booking cannot be shown here",
  "Only the browser that made a booking can show it, and only while it keeps its cookies. If the " +
    "booking is yours, ask the vendor.",
] as const;

const UNAVAILABLE = ["This page cannot be shown right now", "Reload it in a moment."] as const;

/** Texts for visitors, for codes whose messages are written for programs. */
const WORDS: { readonly [code in ErrorCode]?: readonly [message: string, hint: string] } = {
  VALIDATION_ERROR: NO_PAGE,
  NOT_FOUND: NO_PAGE,
  VENDOR_NOT_FOUND: ["There is no such vendor", NO_PAGE[1]],
  BOOKING_NOT_FOUND: ["There is no such booking", NO_PAGE[1]],
  UNAUTHENTICATED: NOT_SHOWN,
  FORBIDDEN: NOT_SHOWN,
  TOO_MANY_REQUESTS: ["Too many visits at once", "Wait a minute, then reload the page."],
  DATABASE_BUSY: UNAVAILABLE,
  DATABASE_UNAVAILABLE: UNAVAILABLE,
};

/** The page for a refusal. */
export function errorPage({ code, message, hint }: ServiceError): string {
  const [heading, advice] = WORDS[code] ?? [message, hint];
  return page(heading, html`<h1>${heading}</h1><p>${advice}</p>`);
}

/**
 * The page on which a customer books one of a vendor's free slots. The browser module enables the
 * button: without it, a submit would put the customer's name into the address.
 */
export function bookPage(vendor: Provider, slots: readonly Slot[], customerId: string): string {
  const content = html`<h1>Book a time with ${vendor.name}</h1>
${errorCards}
<form id="book" autocomplete="off" data-vendor="${vendor.id}" data-customer="${customerId}">
${slotChoice("Choose a time", slots)}
<p class="field">
<label for="name">Your name</label>
<input id="name" name="name" autocomplete="name" maxlength="200" required>
</p>
<p class="bar">
<button type="submit" disabled>Book</button>
<output id="progress" role="status"></output>
</p>
</form>`;
  return page(`Book a time with ${vendor.name}`, content, "book");
}

const HEADINGS: { readonly [status in Booking["status"]]: string } = {
  pending: "Your time is held",
  confirmed: "Your booking is confirmed",
  cancelled: "Your booking is cancelled",
  completed: "Your booking",
  expired: "Your time is no longer held",
};

/** The page that shows a booking and lets its customer pay, move or cancel it. */
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

/** A late payment still gets the time unless another booking has it: see record_payment. */
function payment({ holdExpiresAt }: Booking, holdOver: boolean): Html {
  const until = holdExpiresAt === null ? "" : ` for you until ${timeOfDay(holdExpiresAt)} UTC.`;
  const held = until && (holdOver ? ` It was held${until}` : ` It is held${until}`);
  const offer = holdOver
    ? "You can still pay. If the time is still free, it is yours; otherwise your payment is refunded."
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
<p>The time becomes free for others, and your payment is refunded.</p>
<p class="bar"><button type="button" id="cancel" class="danger">Cancel the booking</button></p>
</details>`;
}

const format = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const day = format({ weekday: "long", day: "numeric", month: "long" });
const time = format({ hour: "2-digit", minute: "2-digit" });

/** Such as "Monday 4 January, 09:00–10:00". */
function period({ startAt, endAt }: Pick<Slot, "startAt" | "endAt">): string {
  return `${day.format(startAt)}, ${time.format(startAt)}–${time.format(endAt)}`;
}

function timeOfDay(date: Date): string {
  return time.format(date);
}

/** A choice of free slots, by day. The browser module replaces the element by its id. */
function slotChoice(legend: string, slots: readonly Slot[]): Html {
  const days = new Map<string, Slot[]>();
  for (const slot of slots) {
    const name = day.format(slot.startAt);
    days.set(name, [...(days.get(name) ?? []), slot]);
  }
  return html`<fieldset id="slots">
<legend>${legend}</legend>
<p class="note">All times are in UTC.</p>
${slots.length === 0 ? html`<p>There is no free time at the moment.</p>` : [...days].map(oneDay)}
</fieldset>`;
}

function oneDay([name, slots]: readonly [string, readonly Slot[]]): Html {
  return html`<h2>${name}</h2>
<div class="times">
${slots.map(oneSlot)}
</div>
`;
}

function oneSlot(slot: Slot): Html {
  const [start, end] = [slot.startAt.toISOString(), slot.endAt.toISOString()];
  return html`<label><input type="radio" name="slot" value="${slot.id}" required
 data-start="${start}" data-end="${end}" aria-label="${period(slot)}">
<span>${time.format(slot.startAt)}–${time.format(slot.endAt)}</span></label>
`;
}
