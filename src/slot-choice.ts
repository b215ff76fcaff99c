import type { Slot } from "./booking.ts";
import { type Html, html } from "./html.ts";

const format = (options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat("en-GB", { timeZone: "UTC", ...options });
const day = format({ weekday: "long", day: "numeric", month: "long" });
const time = format({ hour: "2-digit", minute: "2-digit" });

/** Such as "Monday 4 January, 09:00–10:00". */
export function period({ startAt, endAt }: Pick<Slot, "startAt" | "endAt">): string {
  return `${day.format(startAt)}, ${time.format(startAt)}–${time.format(endAt)}`;
}

export function timeOfDay(date: Date): string {
  return time.format(date);
}

/** Free slots to choose one of, day by day. `id` is what the browser module replaces. */
export function slotChoice(legend: string, slots: readonly Slot[]): Html {
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
