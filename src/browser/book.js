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
 * An attempt to book is kept until its outcome is known, with an idempotency key of its own. So a
 * second click, or a reload after the connection was lost, is the same request again, and never
 * another booking.
 */
const ATTEMPT = "booking-attempt";

const form = /** @type {HTMLFormElement} */ (element("book"));
const name = /** @type {HTMLInputElement} */ (element("name"));

/** @returns {{ providerId: string, [field: string]: string } | undefined} */
function attemptUnderWay() {
  const kept = sessionStorage.getItem(ATTEMPT);
  const attempt = kept === null ? undefined : JSON.parse(kept);
  return attempt?.providerId === form.dataset["vendor"] ? attempt : undefined;
}

/** @param {HTMLInputElement} slot */
function newAttempt(slot) {
  return {
    providerId: form.dataset["vendor"] ?? "",
    customerId: form.dataset["customer"] ?? "",
    startAt: slot.dataset["start"] ?? "",
    endAt: slot.dataset["end"] ?? "",
    customerName: name.value.trim(),
    // Not randomUUID(), which browsers have on secure origins only.
    idempotencyKey: [...crypto.getRandomValues(new Uint8Array(16))].join("-"),
  };
}

/** @param {{ [field: string]: string }} attempt */
async function book(attempt) {
  hideCards();
  sessionStorage.setItem(ATTEMPT, JSON.stringify(attempt));
  const { ok, known, answer } = await send("/api/bookings/create", attempt);
  if (known) sessionStorage.removeItem(ATTEMPT);
  if (ok && answer.booking) {
    location.assign(`/bookings/${answer.booking.id}`);
  } else if (answer.code === "BOOKING_CONFLICT") {
    await chooseAgain();
    showCard(answer, focusSlots);
  } else {
    showCard(answer, () => (known ? focusSlots() : submit(attempt)));
  }
}

/** @param {{ [field: string]: string }} attempt */
function submit(attempt) {
  void once("Booking…", () => book(attempt));
}

form.addEventListener("submit", (event) => {
  event.preventDefault();
  const slot = chosenSlot();
  if (slot === undefined || name.value.trim() === "") return;
  const unknown = attemptUnderWay();
  const same = unknown?.["startAt"] === slot.dataset["start"];
  submit(unknown !== undefined && same ? unknown : newAttempt(slot));
});

const unknown = attemptUnderWay();
if (unknown !== undefined) submit(unknown);
