import type { Json } from "../../harness/index.ts";
import type { BookingOperation } from "./operations.ts";
import type { BookingScenario } from "./scenarios.ts";
import { type BookingState, DECLINED_ATTEMPT } from "./state.ts";

type Accepts = (value: Json | undefined, state: BookingState) => boolean;

const REQUIRED: { readonly [name in BookingOperation["name"]]: readonly string[] } = {
  create: ["via", "slot", "customer", "customerName", "notes", "createdBy"],
  cancel: ["via", "booking"],
  confirm: ["via", "booking", "attempt"],
  webhook: ["via", "booking", "attempt", "captured"],
  refund: ["via"],
  reschedule: ["via", "booking", "slot"],
  expire: ["via", "at"],
  publish: ["via", "provider", "startAt", "endAt"],
  withdraw: ["via", "slot"],
  list: ["via", "provider"],
  elapse: ["via"],
};

const text: Accepts = (value) => typeof value === "string";
const someText: Accepts = (value) => typeof value === "string" && value !== "";
const time: Accepts = (value) =>
  typeof value === "string" && /^\d{4}-\d\d-\d\dT/.test(value) && !Number.isNaN(Date.parse(value));
const oneOf =
  (...values: readonly Json[]): Accepts =>
  (value) =>
    value !== undefined && values.includes(value);

const ARGUMENTS: { readonly [argument: string]: Accepts } = {
  name: text,
  via: oneOf("http", "function"),
  by: (value) => typeof value === "string" && /^(nobody|\w+:[\w-]+)$/.test(value),
  slot: (value, { slots }) => refers(value, slots),
  booking: (value, { bookings }) => refers(value, bookings),
  provider: (value, { providers }) => providers.some(({ id }) => id === value),
  customer: (value) => typeof value === "string" && /^customer-\d$/.test(value),
  customerName: someText,
  notes: text,
  idempotencyKey: someText,
  paymentIntentId: someText,
  createdBy: oneOf("customer", "vendor"),
  attempt: oneOf(1, 2, DECLINED_ATTEMPT),
  captured: (value) => typeof value === "boolean",
  at: time,
  startAt: time,
  endAt: time,
};

/** Whether all arguments are there that have to be, and refer to what there is. */
export function accepts({ initial, clients }: BookingScenario): boolean {
  return clients.flat().every((operation) => {
    const given = Object.entries<Json | undefined>(operation);
    return (
      REQUIRED[operation.name].every((argument) => argument in operation) &&
      given.every(([argument, value]) => ARGUMENTS[argument]?.(value, initial) === true)
    );
  });
}

function refers(value: Json | undefined, known: readonly { readonly id: number }[]): boolean {
  if (typeof value !== "object" || value === null) return false;
  if ("own" in value) return Number.isInteger(value.own) && Number(value.own) >= 0;
  return "id" in value && known.some(({ id }) => id === value.id);
}
