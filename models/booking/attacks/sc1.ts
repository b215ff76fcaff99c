import { createHash } from "node:crypto";
import { DatabaseError, Pool } from "pg";
import {
  type Attack,
  type AttackRun,
  type DefinedState,
  type Event,
  HarnessError,
  type JsonObject,
  type Operation,
  type Response,
  type Round,
  type Target,
  type Violation,
} from "../../../harness/index.ts";
import { directly } from "../service.ts";
import { type Customer, Deployment, type FreeSlot, responseOf } from "./deployment.ts";

/**
 * The attack SC-1: several customers book one slot at the same moment, over HTTP; if the database URL
 * is given, half of them call the database function instead. One customer gets the slot and all others
 * get BOOKING_CONFLICT. After the winner cancels, the slot is free again.
 */
export const sc1: Attack<DefinedState, Operation> = {
  name: "sc1",
  description: "the double booking: several customers book one slot at the same moment",
  rules: [
    {
      name: "one_winner",
      description: "Of several concurrent creates of one slot, exactly one succeeds.",
    },
    { name: "losers_are_told", description: "All others are refused with BOOKING_CONFLICT." },
    {
      name: "no_orphan",
      description: "Afterwards a slot is unavailable if and only if it is booked.",
    },
  ],
  begin: (target) => DoubleBooking.begin(target),
};

/** The highest vendor id to look for. The first vendor with a free slot is attacked. */
const MAX_VENDOR = 50;

interface MadeBooking {
  readonly client: number;
  readonly id: string;
}

/** One run of the attack SC-1. */
class DoubleBooking implements AttackRun<DefinedState, Operation> {
  readonly initial: DefinedState;
  readonly #target: Target;
  readonly #service: Deployment;
  readonly #database: Pool | undefined;
  readonly #customers: readonly Customer[];
  readonly #slots: readonly FreeSlot[];
  /** By client: the number of operations that it has sent. */
  readonly #sent: number[];
  /** The clients of the bookings that are not cancelled yet, by booking id. */
  readonly #activeBookings = new Map<string, number>();

  private constructor(
    target: Target,
    service: Deployment,
    database: Pool | undefined,
    customers: readonly Customer[],
    slots: readonly FreeSlot[],
  ) {
    this.#target = target;
    this.#service = service;
    this.#database = database;
    this.#customers = customers;
    this.#slots = slots;
    this.#sent = customers.map(() => 0);
    const rows = slots.map((slot) => {
      const { id, provider, startAt, endAt } = timeOf(slot);
      const times = { start_at: startAt, end_at: endAt };
      return { id, provider_id: provider, ...times, is_available: true, withdrawn_at: null };
    });
    this.initial = { prefix: [], rows: { "public.availability_slots": rows } };
  }

  static async begin(target: Target): Promise<DoubleBooking> {
    const service = new Deployment(target.url, target.concurrency);
    const max = target.concurrency;
    const database =
      target.databaseUrl === undefined
        ? undefined
        : new Pool({ connectionString: target.databaseUrl, max });
    database?.on("error", () => {});
    for (let vendor = 1; vendor <= MAX_VENDOR; vendor++) {
      const slots = await service.freeSlots(String(vendor));
      if (slots.length === 0) continue;
      const customers: Customer[] = [];
      while (customers.length < max) customers.push(await service.customer(String(vendor)));
      return new DoubleBooking(target, service, database, customers, slots);
    }
    await service.close();
    await database?.end();
    throw new HarnessError(
      "USAGE",
      `no vendor from 1 to ${MAX_VENDOR} at ${target.url} has a free slot: publish one`,
    );
  }

  async round(number: number): Promise<Round<Operation>> {
    const slot = this.#slots[this.#random(number) % this.#slots.length];
    if (slot === undefined) throw new Error("there is a slot");
    const events: Event<Operation>[] = [];
    const latencies: Round["latencies"][number][] = [];
    const booked: MadeBooking[] = [];
    const codes: string[] = [];
    await Promise.all(
      this.#customers.map(async (customer, client) => {
        // Half of the clients bypass the service. The halves swap from round to round.
        const bypasses = this.#database !== undefined && (client + number) % 2 === 1;
        const operation = {
          ...(bypasses ? { name: "createDirectly" } : { name: "create", as: "creator" }),
          slot: Number(slot.id),
          at: timeOf(slot),
          customer: customer.id,
          customerName: `SC-1 ${client}`,
          notes: "",
          createdBy: "customer",
          ...{ idempotencyKey: null, paymentIntentId: null, provider: null },
        };
        const began = performance.now();
        const response = await this.#record(events, client, operation, () =>
          bypasses
            ? this.#bookDirectly(slot, customer, operation.customerName)
            : this.#book(slot, customer, operation.customerName),
        );
        const route = `of create by ${bypasses ? "function" : "http"}`;
        latencies.push({ route, ms: performance.now() - began });
        codes.push(response.code);
        if (response.outcome !== "ok") return;
        const { booking } = response.body as { readonly booking: JsonObject };
        const id = String(booking["id"]);
        booked.push({ client, id });
        this.#activeBookings.set(id, client);
      }),
    );
    const violations = violationsOf(slot, booked, codes);
    for (const booking of booked) await this.#cancel(events, booking);
    return { events, latencies, violations };
  }

  async end(): Promise<readonly Violation[]> {
    const orphans = (message: string, evidence: readonly JsonObject[]): Violation[] => [
      { checker: "attack", name: "no_orphan", message, evidence },
    ];
    if (this.#database !== undefined) {
      const sql = "select * from verify_booking_slot_consistency() where status <> 'PASS'";
      const { rows } = await this.#database.query<JsonObject>(sql);
      if (rows.length > 0) return orphans("the consistency checks of the schema fail", rows);
    }
    const now = await this.#service.freeSlots(String(this.#slots[0]?.providerId));
    const free = new Set(now.map(({ id }) => id));
    const soon = new Date(Date.now() + 1_000).toISOString();
    const lost = this.#slots.filter(({ id, startAt }) => !free.has(id) && startAt > soon);
    return lost.length === 0
      ? []
      : orphans(
          "slots are not free again, though all bookings were cancelled",
          lost.map(({ id }) => ({ slot_id: id })),
        );
  }

  async close(): Promise<void> {
    for (const [id, client] of this.#activeBookings) {
      await this.#cancel([], { id, client }).catch(() => {});
    }
    await this.#service.close();
    await this.#database?.end();
  }

  /** Sends an operation, and adds its events to `events`. */
  async #record(
    events: Event<Operation>[],
    client: number,
    operation: Operation,
    send: () => Promise<Response>,
  ): Promise<Response> {
    const index = this.#sent[client] ?? 0;
    this.#sent[client] = index + 1;
    events.push({ type: "invoke", client, index, operation });
    const response = await send();
    events.push({ type: "return", client, index, response });
    return response;
  }

  async #book(slot: FreeSlot, { id, cookie }: Customer, name: string): Promise<Response> {
    const { providerId, startAt, endAt } = slot;
    const times = { providerId, startAt, endAt };
    const body = { ...times, customerId: id, customerName: name, notes: "" };
    return bookingResponse(await this.#service.post("/api/bookings/create", cookie, body));
  }

  async #bookDirectly(
    { id: slot, providerId }: FreeSlot,
    { id: customer }: Customer,
    name: string,
  ): Promise<Response> {
    const query = async (sql: string, values: readonly unknown[] = []) =>
      (await this.#database?.query<JsonObject>(sql, [...values]))?.rows ?? [];
    const sql = "select * from claim_slot_and_create_booking($1, $2, $3, $4, '')";
    try {
      const body = await directly(query, "booking", sql, [slot, providerId, customer, name]);
      return { outcome: "ok", code: "OK", body: withTimesAhead(JSON.parse(JSON.stringify(body))) };
    } catch (error) {
      const isRefusal = error instanceof DatabaseError && !/^(08|57)/.test(error.code ?? "");
      const code = isRefusal ? (error.code ?? "") : "CONNECTION_LOST";
      return { outcome: isRefusal ? "fail" : "info", code, body: null };
    }
  }

  /** Cancels a booking as its customer, so that the next round finds the slot free. */
  async #cancel(events: Event<Operation>[], { client, id }: MadeBooking): Promise<void> {
    const booking = { of: "bookings.id", row: 0, own: true };
    const as = `customer:${this.#customers[client]?.id}`;
    const operation = { name: "cancel", as, booking };
    const cookie = this.#customers[client]?.cookie ?? "";
    await this.#record(events, client, operation, async () => {
      const answer = await this.#service.post(`/api/bookings/${id}/cancel`, cookie, {});
      return bookingResponse(answer);
    });
    this.#activeBookings.delete(id);
  }

  #random(number: number): number {
    const text = `${this.#target.seed} ${number}`;
    return createHash("sha256").update(text).digest().readUInt32BE();
  }
}

function violationsOf(
  slot: FreeSlot,
  booked: readonly MadeBooking[],
  codes: readonly string[],
): readonly Violation[] {
  const violations: Violation[] = [];
  if (booked.length !== 1) {
    violations.push({
      checker: "attack",
      name: "one_winner",
      message: `${booked.length} concurrent creates of slot ${slot.id} succeeded`,
      evidence: booked.map(({ client, id }) => ({ slot_id: slot.id, client, booking_id: id })),
    });
  }
  const unexpected = codes.filter((code) => !["CREATED", "OK", "BOOKING_CONFLICT"].includes(code));
  if (unexpected.length > 0) {
    violations.push({
      checker: "attack",
      name: "losers_are_told",
      message: `${unexpected.length} of ${codes.length} answers had other codes: ${[...new Set(unexpected)].join(", ")}`,
      evidence: unexpected.map((code) => ({ slot_id: slot.id, code })),
    });
  }
  return violations;
}

/**
 * The model compares slots with fixed days. The slots of a deployment begin soon, so their times are
 * moved past the model's `FUTURE_DAY`.
 */
const YEARS_AHEAD = 100;

/** The same time, a century later. */
function ahead(time: string): string {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + YEARS_AHEAD);
  return date.toISOString();
}

/** A slot as the model has it. */
function timeOf({ id, providerId, startAt, endAt }: FreeSlot) {
  return {
    ...{ id: Number(id), provider: Number(providerId) },
    ...{ startAt: ahead(startAt), endAt: ahead(endAt) },
  };
}

function bookingResponse(answer: Parameters<typeof responseOf>[0]): Response {
  return responseOf(answer, answer.statusCode < 400 ? withTimesAhead(answer.body) : null);
}

/** The answer with its booking's times moved. */
function withTimesAhead(body: JsonObject): JsonObject {
  const booking = body["booking"] as JsonObject;
  const times = ["startAt", "endAt"].map((field) => [field, ahead(String(booking[field]))]);
  return { ...body, booking: { ...booking, ...Object.fromEntries(times) } };
}
