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
 * An attempt to book is kept until its outcome is known, with an idempotency key of its own. Until then
 * nothing else is booked: a second click, a reload after the connection was lost, or another choice
 * first sends the same request again, and never makes another booking.
 */
const ATTEMPT = "booking-attempt";

/** Statuses that tell of the sender, and nothing of what became of the same request before. */
const OF_THE_SENDER = [401, 403, 429];

const form = /** @type {HTMLFormElement} */ (element("book"));
const name = /** @type {HTMLInputElement} */ (element("name"));

/**
 * Of another customer nobody can learn the outcome here: whoever lost his cookie is somebody else now.
 *
 * @returns {{ [field: string]: string } | undefined}
 */
function attemptUnderWay() {
  const kept = sessionStorage.getItem(ATTEMPT);
  const attempt = kept === null ? undefined : JSON.parse(kept);
  const { vendor, customer } = form.dataset;
  return attempt?.providerId === vendor && attempt?.customerId === customer ? attempt : undefined;
}

/** @returns {{ [field: string]: string } | undefined} What is chosen now; undefined if that is not enough yet. */
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
    // Not randomUUID(), which browsers have on secure origins only.
    idempotencyKey: [...crypto.getRandomValues(new Uint8Array(16))].join("-"),
  };
}

/**
 * Sends an attempt, or sends it again.
 *
 * @param {{ [field: string]: string }} attempt
 * @param {boolean} again
 */
async function settle(attempt, again) {
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  const { ok, known, status = 0, answer } = await send("/api/bookings/create", attempt);
  const settled = known && !(again && OF_THE_SENDER.includes(status));
  if (settled) sessionStorage.removeItem(ATTEMPT);
  return { ok, settled, answer };
}

async function book() {
  hideCards();
  const earlier = attemptUnderWay();
  const wanted = newAttempt();
  let outcome = earlier && (await settle(earlier, true));
  const refused = outcome?.settled && !outcome.ok;
  if (wanted && (earlier === undefined || refused)) outcome = await settle(wanted, false);
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
