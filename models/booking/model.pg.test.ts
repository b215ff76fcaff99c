import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Call, type Server, startServer } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { startUngated, type UngatedBooking } from "./booking-system.fixture.ts";
import { model } from "./model.ts";
import type { BookingOperation } from "./operations.ts";
import { codes } from "./responses.ts";
import { anyOperation } from "./scenarios.ts";
import { type BookingState, initialState, slotPlans } from "./state.ts";

let server: Server;
let service: UngatedBooking;

beforeAll(async () => {
  server = await startServer(testPostgres);
  service = await startUngated(server);
});

afterAll(async () => {
  await service.stop();
  await server.stop();
});

/** Operations that need a token. */
const AUTHENTICATED = new Set(["create", "cancel", "confirm", "webhook", "refund", "reschedule"]);

const ELAPSE: BookingOperation = { name: "elapse", via: "function" };

/** A calendar with half of its slots on SOON_DAY, and the operations of three clients in order. */
const days = fc
  .tuple(slotPlans([{}, {}, {}, {}]), fc.array(fc.boolean(), { minLength: 4, maxLength: 4 }))
  .map(([plans, soon]) =>
    initialState(plans.map((plan, at) => ({ ...plan, soon: soon[at] === true }))),
  )
  .chain((initial) => {
    const { providers, slots, bookings } = initial;
    const counts = { providers: providers.length, slots: slots.length, bookings: bookings.length };
    const operation = fc.tuple(anyOperation(counts, true), fc.nat(20)).map(([it, n]) => ({
      ...it,
      ...(it.name === "create" && { customerName: "Ada Lovelace", notes: it.customer }),
      ...(n < 2 && AUTHENTICATED.has(it.name) && { by: n === 0 ? "nobody" : "vendor:2" }),
    }));
    const operationOrTime = fc.oneof(
      { weight: 40, arbitrary: operation },
      { weight: 1, arbitrary: fc.constant(ELAPSE) },
    );
    const operations = fc.array(fc.tuple(fc.nat(2), operationOrTime), {
      minLength: 30,
      maxLength: 60,
    });
    return fc.record({ initial: fc.constant(initial), operations });
  });

type Done = Call<BookingOperation>;

/** Performs the operations one after the other. */
async function perform(
  initial: BookingState,
  operations: readonly (readonly [number, BookingOperation])[],
): Promise<readonly Done[]> {
  await service.system.reset(initial);
  const calls: Done[] = [];
  for (const [client, operation] of operations) {
    const response = await service.system.perform(operation, client);
    const at = 2 * calls.length;
    const index = calls.filter((it) => it.client === client).length;
    calls.push({ client, index, operation, response, invokedAt: at, returnedAt: at + 1 });
  }
  return calls;
}

/** Calls with a wrong response: another code, or another body. */
function* withWrongResponses(call: Done): Iterable<Done> {
  const { operation, response } = call;
  if (response === undefined) return;
  for (const code of codes[operation.name]) {
    if (code !== response.code) yield { ...call, response: { ...response, code } };
  }
  const { body } = response;
  if (Array.isArray(body)) {
    if (body.length > 0) yield { ...call, response: { ...response, body: body.slice(1) } };
  } else if (body !== null) {
    for (const field of Object.keys(body)) {
      // A new object may have any unused id.
      if (field === "id" && (operation.name === "create" || operation.name === "publish")) continue;
      yield {
        ...call,
        response: { ...response, body: { ...(body as object), [field]: "?" } },
      };
    }
  }
}

test("without concurrency, model and service agree on every response and on the final state", async () => {
  const seen = new Map<string, number>();
  await fc.assert(
    fc.asyncProperty(days, async ({ initial, operations }) => {
      const calls = await perform(initial, operations);
      const final = await service.system.contents?.();
      for (const part of model.split?.({ initial, calls, final }) ?? []) {
        let state = model.init(part);
        for (const call of part.calls) {
          for (const other of withWrongResponses(call))
            expect(model.step(state, other)).toEqual([]);
          const [next] = model.step(state, call);
          const expected = () => `${model.expected?.(state, call)}: ${JSON.stringify(call)}`;
          expect(next, next === undefined ? expected() : "").toBeDefined();
          state = next ?? state;
          const { operation, response } = call;
          const key = `${operation.name} ${response?.code}`;
          seen.set(key, (seen.get(key) ?? 0) + 1);
        }
        if (part.final !== undefined) expect(model.mismatch?.(state, part.final)).toBeUndefined();
      }
    }),
    { numRuns: 40, seed: 11 },
  );
  const all = Object.entries(codes).flatMap(([name, all]) => all.map((code) => `${name} ${code}`));
  // Withdraw and reschedule name slots of the initial state, which are never deleted.
  expect(all.filter((key) => !seen.has(key))).toEqual([
    "reschedule SLOT_NOT_FOUND",
    "reschedule NO_SLOT",
    "withdraw SLOT_NOT_FOUND",
    "withdraw NO_SLOT",
  ]);
});
