import {
  chooseAgain,
  chosenSlot,
  element,
  focusSlots,
  hideCards,
  once,
  renew,
  send,
  showCard,
} from "./page.js";

const id = element("booking").dataset["booking"] ?? "";

/**
 * Sends a change of this booking, and shows what it is then.
 *
 * @param {string} words
 * @param {string} change
 * @param {object} body
 */
function change(words, change, body) {
  void once(words, async () => {
    hideCards();
    const { ok, answer } = await send(`/api/bookings/${id}/${change}`, body);
    if (ok) {
      location.replace(location.pathname);
    } else if (answer.code === "BOOKING_CONFLICT") {
      await chooseAgain();
      showCard(answer, focusSlots);
    } else {
      await showNow(answer);
    }
  });
}

/**
 * After a refusal: the booking may be something else than what is shown.
 *
 * @param {{ code?: string, message?: string, hint?: string }} refusal
 */
async function showNow(refusal) {
  await renew("booking").catch(() => {});
  listen();
  showCard(refusal, () => location.replace(location.pathname));
}

function pay() {
  void once("Opening the payment…", async () => {
    hideCards();
    const { ok, answer } = await send(`/api/bookings/${id}/checkout`, {});
    if (ok && answer.payment) location.assign(answer.payment.payUrl);
    else await showNow(answer);
  });
}

function listen() {
  document.getElementById("pay")?.addEventListener("click", pay);
  document
    .getElementById("cancel")
    ?.addEventListener("click", () => change("Cancelling…", "cancel", {}));
  document.getElementById("reschedule")?.addEventListener("submit", (event) => {
    event.preventDefault();
    const slot = chosenSlot();
    if (slot !== undefined) change("Moving…", "reschedule", { slotId: slot.value });
  });
}

listen();

// The gateway sends the customer back with the payment's id.
const paymentIntentId = new URLSearchParams(location.search).get("intent");
if (paymentIntentId !== null) {
  history.replaceState(null, "", location.pathname);
  change("Looking for your payment…", "confirm", { paymentIntentId });
}
