import type { Call, JsonObject, ObservedHistory } from "../../harness/index.ts";
import type { BookingOperation } from "./operations.ts";
import { References } from "./references.ts";
import type { BookingState } from "./state.ts";

export type BookingHistory = ObservedHistory<BookingState, BookingOperation>;
type BookingCall = Call<BookingOperation>;

/**
 * The calendars of different providers have nothing to do with each other, so that they can be
 * checked one by one; unless something concerns several: a key that was used for slots of both, or
 * `expire`, `refund` and the time, which are for all. Operations name what their clients made by its id.
 */
export function splitByCalendar(account: BookingHistory): readonly BookingHistory[] {
  const { initial, final } = account;
  const calls = withResolvedIds(account);
  const touched = new Map(calls.map((it) => [it, thingsConcerned(it, initial)]));
  const groups = new Groups();
  for (const things of [...touched.values(), ...thingsLinked(account)]) groups.join(things);

  const of = (thing: string): string => groups.of(thing);
  const providers = grouped(initial.providers, ({ id }) => of(provider(id)));
  const slots = grouped(initial.slots, (slot) => of(provider(slot.provider)));
  const bookings = grouped(initial.bookings, ({ id }) => of(booking(id)));
  const payments = grouped(initial.payments, (its) => of(booking(its.booking)));
  const asked = grouped(calls, (call) => of(touched.get(call)?.[0] ?? NOTHING));
  const tables = Object.entries(final ?? {}).map(
    ([table, rows]) => [table, grouped(rows, (row) => of(ownerOf(table, row)))] as const,
  );
  return groups.all.map((group) => ({
    initial: {
      providers: providers.get(group) ?? [],
      slots: slots.get(group) ?? [],
      bookings: bookings.get(group) ?? [],
      payments: payments.get(group) ?? [],
    },
    calls: asked.get(group) ?? [],
    final: final && Object.fromEntries(tables.map(([name, rows]) => [name, rows.get(group) ?? []])),
  }));
}

/** The operations with ids in place of references to what their client made before. */
function withResolvedIds({ initial, calls }: BookingHistory): readonly BookingCall[] {
  const references = new References(initial);
  const operations = new Map<BookingCall, BookingOperation>();
  const events = calls.flatMap((call) => [
    { at: call.invokedAt, call, returns: false },
    { at: call.returnedAt, call, returns: true },
  ]);
  for (const { call, returns } of events.sort((a, b) => a.at - b.at)) {
    const { client, operation, response } = call;
    const asked = operations.get(call) ?? references.named(operation, client);
    if (!returns) operations.set(call, asked);
    else if (response !== undefined) references.learn(client, asked, response);
  }
  return calls.map((it) => ({ ...it, operation: operations.get(it) ?? it.operation }));
}

/** Operations that concern all providers. */
const FOR_ALL: ReadonlySet<BookingOperation["name"]> = new Set(["expire", "refund", "elapse"]);

const NOTHING = "nothing";
const provider = (id: unknown): string => `provider ${id}`;
const slot = (id: unknown): string => `slot ${id}`;
const booking = (id: unknown): string => `booking ${id}`;

function ownerOf(table: string, row: JsonObject): string {
  if (table === "payments") return booking(row["booking_id"]);
  return provider(table === "providers" ? row["id"] : row["provider_id"]);
}

/** What belongs together, whoever asks for it. */
function* thingsLinked({ initial, final }: BookingHistory): Iterable<readonly string[]> {
  for (const { id } of initial.providers) yield [provider(id)];
  for (const its of initial.slots) yield [slot(its.id), provider(its.provider)];
  for (const its of initial.bookings) yield [booking(its.id), slot(its.slot)];
  for (const row of final?.["availability_slots"] ?? []) {
    yield [slot(row["id"]), provider(row["provider_id"])];
  }
  for (const row of final?.["bookings"] ?? []) {
    yield [booking(row["id"]), provider(row["provider_id"])];
  }
}

/** What an operation has to do with, by its operation and by what it was told that it made. */
function thingsConcerned(
  { operation, response }: BookingCall,
  { providers }: BookingState,
): readonly string[] {
  const things: string[] = [];
  if ("slot" in operation && "id" in operation.slot) things.push(slot(operation.slot.id));
  if ("booking" in operation && "id" in operation.booking)
    things.push(booking(operation.booking.id));
  if ("provider" in operation) things.push(provider(operation.provider));
  if (operation.name === "create" && operation.idempotencyKey !== undefined) {
    things.push(`key ${operation.customer} ${operation.idempotencyKey}`);
  }
  if (FOR_ALL.has(operation.name)) things.push(...providers.map(({ id }) => provider(id)));
  if (response?.outcome === "ok" && (operation.name === "create" || operation.name === "publish")) {
    const { id } = response.body as JsonObject;
    things.push(operation.name === "create" ? booking(id) : slot(id));
  }
  return things.length > 0 ? things : [NOTHING];
}

function grouped<T>(items: Iterable<T>, groupOf: (item: T) => string): ReadonlyMap<string, T[]> {
  const groups = new Map<string, T[]>();
  for (const item of items) {
    const group = groupOf(item);
    const members = groups.get(group);
    if (members === undefined) groups.set(group, [item]);
    else members.push(item);
  }
  return groups;
}

/** Things that were joined, directly or through others, are of one group (union-find). */
class Groups {
  readonly #parent = new Map<string, string>();

  join([first, ...others]: readonly string[]): void {
    if (first === undefined) return;
    const root = this.of(first);
    for (const other of others) this.#parent.set(this.of(other), root);
  }

  /** The name of a thing's group: one of its things. */
  of(thing: string): string {
    let root = thing;
    for (let next = this.#parent.get(root); next !== root; next = this.#parent.get(root)) {
      if (next === undefined) this.#parent.set(root, root);
      else root = next;
    }
    // The next look-up is a short one.
    for (let at = thing; at !== root; ) {
      const next = this.#parent.get(at) ?? root;
      this.#parent.set(at, root);
      at = next;
    }
    return root;
  }

  get all(): readonly string[] {
    return [...this.#parent].filter(([thing, parent]) => thing === parent).map(([thing]) => thing);
  }
}
