import type { Call, Response } from "../harness/core/history.ts";
import type { ObservedHistory } from "../harness/core/model.ts";
import { model } from "../models/booking/model.ts";
import type { Calendar } from "../models/booking/model-calendar.ts";
import { answer } from "../models/booking/model-rules.ts";
import type { BookingOperation } from "../models/booking/operations.ts";
import { APART, type BookingState, initialState } from "../models/booking/state.ts";

type BookingCall = Call<BookingOperation>;

/** For each provider: the slots, the operations, and the clients that send them concurrently. */
const SLOTS = 8;
const OPERATIONS = 50;
const CLIENTS = 5;

/** A pending operation. It has a response once it has taken effect. */
interface Pending {
  readonly operation: BookingOperation;
  readonly invokedAt: number;
  response?: Response;
}

/**
 * A linearizable history of `length` calls, generated from the model: each operation takes effect
 * at some moment between its invocation and its return. Every 50 operations concern another
 * provider. Equal lengths give equal histories.
 */
export function bookingHistory(length: number): ObservedHistory<BookingState, BookingOperation> {
  const random = generator(length);
  const providers = Array.from({ length: Math.ceil(length / OPERATIONS) }, (_, at) => at + 1);
  const initial = { ...stateOf(providers), bookings: [], payments: [] };
  const calls: BookingCall[] = [];
  let at = 0;
  let ids = 0;
  for (const provider of providers) {
    const slots = initial.slots.filter((_, index) => Math.floor(index / SLOTS) === provider - 1);
    let calendar = model.init({
      initial: { ...initial, slots },
      calls: [],
      final: undefined,
    }) as Calendar;
    const clients = Array.from({ length: CLIENTS }, (): Pending | undefined => undefined);
    let sent = 0;
    while (sent < OPERATIONS || clients.some((pending) => pending !== undefined)) {
      const client = random(CLIENTS);
      const pending = clients[client];
      if (pending === undefined) {
        if (sent++ >= OPERATIONS) continue;
        clients[client] = { operation: operation(provider, calendar, random), invokedAt: at++ };
      } else if (pending.response === undefined) {
        const { code, status, body, after } = answer(calendar, pending.operation, ids + 1);
        if (after.bookings.size > calendar.bookings.size) ids++;
        calendar = after;
        const outcome = body === null && code !== "RECORDED" ? "fail" : "ok";
        pending.response = { outcome, code, ...(status !== undefined && { status }), body };
      } else {
        const number = (provider - 1) * CLIENTS + client;
        calls.push({ ...pending, client: number, index: 0, returnedAt: at++ } as BookingCall);
        clients[client] = undefined;
      }
    }
  }
  calls.sort((a, b) => a.invokedAt - b.invokedAt);
  return { initial, calls: calls.slice(0, length), final: undefined };
}

/** The providers, each with slots at the same times. */
function stateOf(providers: readonly number[]): Pick<BookingState, "providers" | "slots"> {
  const plan = { sameProvider: true, past: false, outcome: "free", gap: APART } as const;
  const { slots } = initialState(Array.from({ length: SLOTS }, () => plan));
  return {
    providers: providers.map((id) => ({ id, name: "" })),
    slots: providers.flatMap((provider) =>
      slots.map((slot) => ({ ...slot, id: (provider - 1) * SLOTS + slot.id, provider })),
    ),
  };
}

function operation(
  provider: number,
  { bookings }: Calendar,
  random: (n: number) => number,
): BookingOperation {
  const slot = { id: (provider - 1) * SLOTS + 1 + random(SLOTS) };
  const ids = [...bookings.keys()];
  const booking = { id: ids[random(ids.length)] ?? 0 };
  const by = `vendor:${provider}`;
  switch (random(ids.length === 0 ? 3 : 6)) {
    case 0:
      return { name: "list", via: "http", provider };
    case 1:
    case 2:
      return {
        ...{ name: "create", via: "function", slot, customer: `customer-${random(9)}` },
        ...{ customerName: "Ada Lovelace", notes: "", createdBy: "customer" },
      };
    case 3:
      return { name: "cancel", via: "function", booking, by };
    case 4:
      return { name: "webhook", via: "function", booking, attempt: 1, captured: true };
    default:
      return { name: "reschedule", via: "function", booking, slot, by };
  }
}

/** A linear congruential generator; the function returns an integer from 0 to n - 1. */
function generator(seed: number): (n: number) => number {
  let state = seed;
  return (n) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return n === 0 ? 0 : (state >> 8) % n;
  };
}
