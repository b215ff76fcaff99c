import {
  chooseAgain,
  chosenSlot,
  element,
  focusSlots,
  hideCards,
  once,
  send,
  showCard,
} from "./page.js";

/**
 * The key under which session storage keeps an attempt to book, with its idempotency key, until the
 * outcome is known. Until then a second click, a reload or another choice first repeats this request,
 * so that no second booking is made.
 */
const ATTEMPT = "booking-attempt";

/** Refusals because of the sender. They say nothing about the outcome of an earlier attempt. */
const SENDER_REFUSED = [401, 403, 429];

const form = /** @type {HTMLFormElement} */ (element("book"));
const name = /** @type {HTMLInputElement} */ (element("name"));

/**
 * A visitor who lost the cookie is another customer, and cannot learn the outcome.
 *
 * @returns {{ [field: string]: string } | undefined} The stored attempt of this customer.
 */
function attemptUnderWay() {
  const stored = sessionStorage.getItem(ATTEMPT);
  const attempt = stored === null ? undefined : JSON.parse(stored);
  const { vendor, customer } = form.dataset;
  return attempt?.providerId === vendor && attempt?.customerId === customer ? attempt : undefined;
}

/** @returns {{ [field: string]: string } | undefined} What the form asks for; undefined if incomplete. */
function newAttempt() {
  const slot = chosenSlot();
  const customerName = name.value.trim();
  if (slot === undefined || customerName === "") return undefined;
  return {
    providerId: form.dataset["vendor"] ?? "",
    customerId: form.dataset["customer"] ?? "",
    startAt: slot.dataset["start"] ?? "",
    endAt: slot.dataset["end"] ?? "",
    customerName,
    // Not randomUUID(), which only secure origins have.
    idempotencyKey: [...crypto.getRandomValues(new Uint8Array(16))].join("-"),
  };
}

/**
 * Sends an attempt, and stores it until the outcome is known.
 *
 * @param {{ [field: string]: string }} attempt
 * @param {boolean} again Whether it was sent before.
 */
async function settle(attempt, again) {
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  const { ok, known, status = 0, answer } = await send("/api/bookings/create", attempt);
  const settled = known && !(again && SENDER_REFUSED.includes(status));
  if (settled) sessionStorage.removeItem(ATTEMPT);
  return { ok, settled, answer };
}

async function book() {
  hideCards();
  const earlier = attemptUnderWay();
  const chosen = newAttempt();
  let outcome = earlier && (await settle(earlier, true));
  const refused = outcome?.settled && !outcome.ok;
  if (chosen && (earlier === undefined || refused)) outcome = await settle(chosen, false);
  if (outcome === undefined) return;

  const { ok, settled, answer } = outcome;
  if (ok && answer.booking) {
    location.assign(`/bookings/${answer.booking.id}`);
  } else if (answer.code === "BOOKING_CONFLICT") {
    await chooseAgain();
    showCard(answer, focusSlots);
  } else {
    showCard(answer, settled ? focusSlots : submit);
  }
}

function submit() {
  void once("Booking…", book);
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  submit();
});

form.querySelector("button")?.removeAttribute("disabled");
if (attemptUnderWay() !== undefined) submit();
