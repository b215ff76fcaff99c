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
 * Sends a change of this booking, and shows the result.
 *
 * @param {string} progress
 * @param {string} change
 * @param {object} body
 */
function change(progress, change, body) {
  void once(progress, async () => {
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
 * Shows a refusal, and the booking as it is now.
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

// The gateway's page redirects the customer here with the payment's id.
const paymentIntentId = new URLSearchParams(location.search).get("intent");
if (paymentIntentId !== null) {
  history.replaceState(null, "", location.pathname);
  change("Looking for your payment…", "confirm", { paymentIntentId });
}
