import type { Provider, Slot } from "./booking.ts";
import { html } from "./html.ts";
import { errorCards, page } from "./page-frame.ts";
import { slotChoice } from "./slot-choice.ts";

/**
 * Where a customer books one of a vendor's free slots. The button waits for the browser module: without
 * it the form would be lost, and the name in the address.
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
