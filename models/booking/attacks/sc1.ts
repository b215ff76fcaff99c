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
 * SC-1: several customers book one slot at the same moment, over HTTP and, where the database is
 * known, half of them by the function. One of them gets it; all others are told of the conflict;
 * and afterwards, when the winner has cancelled, the slot is as free as before.
 */
export const sc1: Attack<BookingState, BookingOperation> = {
  name: "sc1",
  description: "the double booking: several customers book one slot at the same moment",
  rules: [
    { name: "one_winner", description: "Of those who book one slot at once, exactly one gets it." },
    { name: "losers_are_told", description: "All others are answered BOOKING_CONFLICT." },
    {
      name: "no_orphan",
      description: "Afterwards no slot is taken without a booking, nor booked without being taken.",
    },
  ],
  begin: (target) => DoubleBooking.begin(target),
};

/** Of these vendors, the first that has a free slot is attacked. */
const VENDORS = 50;

type Create = Extract<BookingOperation, { readonly name: "create" }>;

interface Booked {
  readonly client: number;
  readonly id: string;
}

/** One attack of SC-1, under way. */
class DoubleBooking implements AttackRun<BookingState, BookingOperation> {
  readonly initial: BookingState;
  readonly #target: Target;
  readonly #service: Deployment;
  readonly #database: Pool | undefined;
  readonly #customers: readonly Customer[];
  readonly #slots: readonly FreeSlot[];
  /** How many operations each client has sent, and how many bookings it has made. */
  readonly #sent: number[];
  readonly #made: number[];
  readonly #standing = new Map<string, number>();

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
    for (let vendor = 1; vendor <= VENDORS; vendor++) {
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
      `no vendor from 1 to ${VENDORS} at ${target.url} has a free slot: publish one`,
    );
  }

  async round(number: number): Promise<Round<BookingOperation>> {
    const slot = this.#slots[this.#random(number) % this.#slots.length];
    if (slot === undefined) throw new Error("there is a slot");
    const events: Event<BookingOperation>[] = [];
    const latencies: Round["latencies"][number][] = [];
    const booked: Booked[] = [];
    const codes: string[] = [];
    await Promise.all(
      this.#customers.map(async (customer, client) => {
        // Half of them go past the service; which half changes from round to round.
        const past = this.#database !== undefined && (client + number) % 2 === 1;
        const operation: Create = {
          name: "create",
          via: past ? "function" : "http",
          slot: { id: Number(slot.id) },
          customer: customer.id,
          customerName: `SC-1 ${client}`,
          notes: "",
          createdBy: "customer",
        };
        const began = performance.now();
        const response = await this.#told(events, client, operation, () =>
          this.#book(operation, slot, customer),
        );
        latencies.push({ way: `of create by ${operation.via}`, ms: performance.now() - began });
        codes.push(response.code);
        if (response.outcome !== "ok") return;
        const id = String((response.body as JsonObject)["id"]);
        booked.push({ client, id });
        this.#standing.set(id, client);
      }),
    );
    const violations = checked(slot, booked, codes);
    for (const booking of booked) await this.#cancel(events, booking);
    return { events, latencies, violations };
  }

  async end(): Promise<readonly Violation[]> {
    const broken = (message: string, evidence: readonly JsonObject[]): Violation[] => [
      { checker: "attack", name: "no_orphan", message, evidence },
    ];
    if (this.#database !== undefined) {
      const sql = "select * from verify_booking_slot_consistency() where status <> 'PASS'";
      const { rows } = await this.#database.query<JsonObject>(sql);
      if (rows.length > 0) return broken("the consistency checks of the schema fail", rows);
    }
    const [vendor] = this.initial.providers;
    const now = await this.#service.freeSlots(String(vendor?.id));
    const free = new Set(now.map(({ id }) => id));
    const soon = new Date(Date.now() + 1_000).toISOString();
    const lost = this.#slots.filter(({ id, startAt }) => !free.has(id) && startAt > soon);
    return lost.length === 0
      ? []
      : broken(
          "slots that were free are not, though all bookings were cancelled",
          lost.map(({ id }) => ({ slot_id: id })),
        );
  }

  async close(): Promise<void> {
    for (const [id, client] of this.#standing) {
      await this.#cancel([], { id, client }).catch(() => {});
    }
    await this.#service.close();
    await this.#database?.end();
  }

  async #told(
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
      const known = { id: Number(slot.id), provider: Number(providerId), startAt, endAt };
      const response = await performByFunction(
        async (sql, values) => (await database.query(sql, [...values])).rows,
        { ...operation, slot: known, by: `customer:${id}` },
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

  /** Who booked takes it back, so that the next round finds the slot as free as this one did. */
  async #cancel(events: Event<BookingOperation>[], { client, id }: Booked): Promise<void> {
    const own = this.#made[client] ?? 0;
    this.#made[client] = own + 1;
    const operation: BookingOperation = { name: "cancel", via: "http", booking: { own } };
    const cookie = this.#customers[client]?.cookie ?? "";
    await this.#told(events, client, operation, async () => {
      const answer = await this.#service.post(`/api/bookings/${id}/cancel`, cookie, {});
      const body = answer.statusCode < 400 ? bookingBody(answer.body["booking"]) : null;
      return responseOf(answer, withTimesAhead(body));
    });
    this.#standing.delete(id);
  }

  #random(number: number): number {
    const text = `${this.#target.seed} ${number}`;
    return createHash("sha256").update(text).digest().readUInt32BE();
  }
}

function checked(
  slot: FreeSlot,
  booked: readonly Booked[],
  codes: readonly string[],
): readonly Violation[] {
  const violations: Violation[] = [];
  if (booked.length !== 1) {
    violations.push({
      checker: "attack",
      name: "one_winner",
      message: `slot ${slot.id} was booked by ${booked.length} customers at once`,
      evidence: booked.map(({ client, id }) => ({ slot_id: slot.id, client, booking_id: id })),
    });
  }
  const odd = codes.filter((code) => code !== "CREATED" && code !== "BOOKING_CONFLICT");
  if (odd.length > 0) {
    violations.push({
      checker: "attack",
      name: "losers_are_told",
      message: `${odd.length} of ${codes.length} were told something else: ${[...new Set(odd)].join(", ")}`,
      evidence: odd.map((code) => ({ slot_id: slot.id, code })),
    });
  }
  return violations;
}

/** The model's slots are past or future by a fixed day; those of a deployment begin soon. */
const YEARS_AHEAD = 100;

/** The same time of a later century. */
function ahead(time: string): string {
  const date = new Date(time);
  date.setUTCFullYear(date.getUTCFullYear() + YEARS_AHEAD);
  return date.toISOString();
}

/** A booking as the service tells of it, with its times moved. */
function withTimesAhead(body: JsonObject | null): JsonObject | null {
  if (body === null) return null;
  const times = ["startAt", "endAt"].map((field) => [field, ahead(String(body[field]))]);
  return { ...body, ...Object.fromEntries(times) };
}
