import { createHash } from "node:crypto";
import { type DatabaseError, Pool } from "pg";
import {
  type Attack,
  type AttackRun,
  type Event,
  HarnessError,
  type JsonObject,
  type Response,
  type Round,
  type Target,
  type Violation,
} from "../../../harness/index.ts";
import { performByFunction } from "../functions.ts";
import type { BookingOperation } from "../operations.ts";
import { bookingBody } from "../responses.ts";
import type { BookingState } from "../state.ts";
import { type Customer, Deployment, type FreeSlot, responseOf } from "./deployment.ts";

/**
 * The attack SC-1: several customers book one slot at the same moment, over HTTP; if the database URL
 * is given, half of them call the database function instead. One customer gets the slot and all others
 * get BOOKING_CONFLICT. After the winner cancels, the slot is free again.
 */
export const sc1: Attack<BookingState, BookingOperation> = {
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

type Create = Extract<BookingOperation, { readonly name: "create" }>;

interface MadeBooking {
  readonly client: number;
  readonly id: string;
}

/** One run of the attack SC-1. */
class DoubleBooking implements AttackRun<BookingState, BookingOperation> {
  readonly initial: BookingState;
  readonly #target: Target;
  readonly #service: Deployment;
  readonly #database: Pool | undefined;
  readonly #customers: readonly Customer[];
  readonly #slots: readonly FreeSlot[];
  /** By client: the number of operations that it has sent, and of bookings that it has made. */
  readonly #sent: number[];
  readonly #made: number[];
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
    this.#made = customers.map(() => 0);
    const provider = Number(slots[0]?.providerId);
    this.initial = {
      providers: [{ id: provider, name: "" }],
      slots: slots.map(({ id, startAt, endAt }) => ({
        ...{ id: Number(id), provider, available: true, withdrawn: false },
        ...{ startAt: ahead(startAt), endAt: ahead(endAt) },
      })),
      bookings: [],
      payments: [],
    };
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

  async round(number: number): Promise<Round<BookingOperation>> {
    const slot = this.#slots[this.#random(number) % this.#slots.length];
    if (slot === undefined) throw new Error("there is a slot");
    const events: Event<BookingOperation>[] = [];
    const latencies: Round["latencies"][number][] = [];
    const booked: MadeBooking[] = [];
    const codes: string[] = [];
    await Promise.all(
      this.#customers.map(async (customer, client) => {
        // Half of the clients bypass the service. The halves swap from round to round.
        const bypasses = this.#database !== undefined && (client + number) % 2 === 1;
        const operation: Create = {
          name: "create",
          via: bypasses ? "function" : "http",
          slot: { id: Number(slot.id) },
          customer: customer.id,
          customerName: `SC-1 ${client}`,
          notes: "",
          createdBy: "customer",
        };
        const began = performance.now();
        const response = await this.#record(events, client, operation, () =>
          this.#book(operation, slot, customer),
        );
        latencies.push({ route: `of create by ${operation.via}`, ms: performance.now() - began });
        codes.push(response.code);
        if (response.outcome !== "ok") return;
        const id = String((response.body as JsonObject)["id"]);
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
    const [vendor] = this.initial.providers;
    const now = await this.#service.freeSlots(String(vendor?.id));
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
    events: Event<BookingOperation>[],
    client: number,
    operation: BookingOperation,
    send: () => Promise<Response>,
  ): Promise<Response> {
    const index = this.#sent[client] ?? 0;
    this.#sent[client] = index + 1;
    events.push({ type: "invoke", client, index, operation });
    const response = await send();
    events.push({ type: "return", client, index, response });
    return response;
  }

  async #book(operation: Create, slot: FreeSlot, { id, cookie }: Customer): Promise<Response> {
    const { providerId, startAt, endAt } = slot;
    if (operation.via === "function") {
      const database = this.#database;
      if (database === undefined) throw new Error("there is a database");
      const resolved = { id: Number(slot.id), provider: Number(providerId), startAt, endAt };
      const response = await performByFunction(
        async (sql, values) => (await database.query(sql, [...values])).rows,
        { ...operation, slot: resolved, by: `customer:${id}` },
        ({ code }: DatabaseError) =>
          /^(BK004|23P01|23505)$/.test(code ?? "") ? "BOOKING_CONFLICT" : undefined,
      );
      return { ...response, body: withTimesAhead(response.body as JsonObject | null) };
    }
    const { customerName } = operation;
    const answer = await this.#service.post("/api/bookings/create", cookie, {
      ...{ providerId, startAt, endAt, customerId: id, customerName },
      notes: "",
    });
    const body = answer.statusCode < 400 ? bookingBody(answer.body["booking"]) : null;
    return responseOf(answer, withTimesAhead(body));
  }

  /** Cancels a booking as its customer, so that the next round finds the slot free. */
  async #cancel(events: Event<BookingOperation>[], { client, id }: MadeBooking): Promise<void> {
    const own = this.#made[client] ?? 0;
    this.#made[client] = own + 1;
    const operation: BookingOperation = { name: "cancel", via: "http", booking: { own } };
    const cookie = this.#customers[client]?.cookie ?? "";
    await this.#record(events, client, operation, async () => {
      const answer = await this.#service.post(`/api/bookings/${id}/cancel`, cookie, {});
      const body = answer.statusCode < 400 ? bookingBody(answer.body["booking"]) : null;
      return responseOf(answer, withTimesAhead(body));
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
  const unexpected = codes.filter((code) => code !== "CREATED" && code !== "BOOKING_CONFLICT");
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

/** The answer's booking with its times moved. */
function withTimesAhead(body: JsonObject | null): JsonObject | null {
  if (body === null) return null;
  const times = ["startAt", "endAt"].map((field) => [field, ahead(String(body[field]))]);
  return { ...body, ...Object.fromEntries(times) };
}
