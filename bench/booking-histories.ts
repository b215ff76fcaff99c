import type { Call, Response } from "../harness/core/history.ts";
import type { JsonObject } from "../harness/core/json.ts";
import type { ObservedHistory } from "../harness/core/model.ts";
import type { Operation } from "../harness/core/operation.ts";
import type { DefinedState } from "../harness/service/operation-definition.ts";
import { FUTURE_DAY } from "../models/booking/calendar.ts";
import { model } from "../models/booking/model.ts";

/** For each provider: the slots, the operations, and the clients that send them concurrently. */
const SLOTS = 8;
const OPERATIONS = 50;
const CLIENTS = 5;

const DAY_MS = 24 * 60 * 60 * 1000;

/** A pending operation. It has a response once it has taken effect. */
interface Pending {
  readonly operation: Operation;
  readonly invokedAt: number;
  response?: Response;
}

/**
 * A linearizable history of `length` calls, generated from the model: each operation takes effect
 * at some moment between its invocation and its return. Every 50 operations concern another
 * provider. Equal lengths give equal histories.
 */
export function bookingHistory(length: number): ObservedHistory<DefinedState, Operation> {
  const random = generator(length);
  const providers = Array.from({ length: Math.ceil(length / OPERATIONS) }, (_, at) => at + 1);
  const calls: Call<Operation>[] = [];
  let at = 0;
  let ids = 0;
  for (const provider of providers) {
    let calendar = model.init({ "public.availability_slots": slotsOf(provider) });
    const clients = Array.from({ length: CLIENTS }, (): Pending | undefined => undefined);
    let sent = 0;
    while (sent < OPERATIONS || clients.some((pending) => pending !== undefined)) {
      const client = random(CLIENTS);
      const pending = clients[client];
      if (pending === undefined) {
        if (sent++ >= OPERATIONS) continue;
        const known = [...calendar.bookings.keys()];
        clients[client] = { operation: operation(provider, known, random), invokedAt: at++ };
      } else if (pending.response === undefined) {
        const { name, ...values } = pending.operation;
        const asked = { name, client, values, as: undefined };
        const { code, body, after } = model.answer(calendar, asked, ids + 1);
        if (after.bookings.size > calendar.bookings.size) ids++;
        calendar = after;
        const outcome = body === undefined ? "fail" : "ok";
        pending.response = { outcome, code, body: body ?? null };
      } else {
        const number = (provider - 1) * CLIENTS + client;
        calls.push({ ...pending, client: number, index: 0, returnedAt: at++ } as Call<Operation>);
        clients[client] = undefined;
      }
    }
  }
  calls.sort((a, b) => a.invokedAt - b.invokedAt);
  const rows = { "public.availability_slots": providers.flatMap(slotsOf) };
  return { initial: { prefix: [], rows }, calls: calls.slice(0, length), final: undefined };
}

/** The slots of a provider, at the same times as those of the others. */
function slotsOf(provider: number): readonly JsonObject[] {
  return Array.from({ length: SLOTS }, (_, number) => ({
    id: (provider - 1) * SLOTS + 1 + number,
    provider_id: provider,
    ...timesOf(number),
    is_available: true,
    withdrawn_at: null,
  }));
}

function timesOf(number: number) {
  const start = Date.parse(FUTURE_DAY) + number * DAY_MS;
  const time = (ms: number) => new Date(ms).toISOString();
  return { start_at: time(start), end_at: time(start + DAY_MS / 24) };
}

function operation(
  provider: number,
  bookings: readonly number[],
  random: (n: number) => number,
): Operation {
  const number = random(SLOTS);
  const slot = (provider - 1) * SLOTS + 1 + number;
  const { start_at: startAt, end_at: endAt } = timesOf(number);
  const at = { id: slot, provider, startAt, endAt };
  const booking = bookings[random(bookings.length)] ?? 0;
  const by = `vendor:${provider}`;
  switch (random(bookings.length === 0 ? 3 : 6)) {
    case 0:
      return { name: "list", provider };
    case 1:
    case 2:
      return {
        ...{ name: "createDirectly", slot, at, customer: `customer-${random(9)}` },
        ...{ customerName: "Ada Lovelace", notes: "", createdBy: "customer" },
        ...{ idempotencyKey: null, paymentIntentId: null, provider: null },
      };
    case 3:
      return { name: "cancelDirectly", booking, by };
    case 4:
      return { name: "webhookDirectly", booking, attempt: 1, captured: true };
    default:
      return { name: "rescheduleDirectly", booking, slot, at, by };
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
