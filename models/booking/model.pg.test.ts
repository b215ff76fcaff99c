import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type Call,
  definedService,
  type Json,
  type JsonObject,
  type Operation,
  type Server,
  startServer,
} from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking, startUngated, type UngatedBooking } from "./booking.fixture.ts";
import definition from "./index.ts";
import { operations } from "./operations.ts";

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

const { elapse: _, ...others } = operations;

/** One client with any operations; now and then the clock moves. */
const sequences = definedService(
  {
    ...definition,
    scenarios: (_, generate) => {
      const any = fc.oneof(...Object.keys(others).map((name) => generate(name)));
      const all = fc.oneof(
        { weight: 40, arbitrary: any },
        { weight: 1, arbitrary: generate("elapse") },
      );
      return fc
        .array(all, { minLength: 30, maxLength: 60 })
        .map((client) => ({ initial: { prefix: [] }, clients: [client] }));
    },
  },
  "booking",
  new URL("./index.ts", import.meta.url),
).scenarios({ minClients: 1, maxClients: 1 });

type Done = Call<Operation>;

/** Performs the operations one after the other. */
async function perform(all: readonly Operation[]): Promise<readonly Done[]> {
  const calls: Done[] = [];
  for (const [index, operation] of all.entries()) {
    const response = await service.system.perform(operation, 0);
    const at = 2 * index;
    calls.push({ client: 0, index, operation, response, invokedAt: at, returnedAt: at + 1 });
  }
  return calls;
}

/** What was answered in all sequences: the rule of the operation, and the code. */
const seen = new Set<string>();

/** All codes by rule; `OK` is that of the function. */
const CODES = {
  cancel: [
    ...["BOOKING_NOT_ACTIVE", "BOOKING_NOT_FOUND", "CANCELLED", "FORBIDDEN", "OK"],
    "UNAUTHENTICATED",
  ],
  confirm: [
    ...["BOOKING_NOT_FOUND", "CONFIRMED", "FORBIDDEN", "PAYMENT_REFUNDED", "PAYMENT_REQUIRED"],
    "UNAUTHENTICATED",
  ],
  create: [
    ...["BOOKING_CONFLICT", "CREATED", "FORBIDDEN", "IDEMPOTENCY_KEY_REUSED", "OK", "SLOT_IN_PAST"],
    ...["SLOT_NOT_FOUND", "SLOT_PROVIDER_MISMATCH", "UNAUTHENTICATED"],
  ],
  elapse: ["OK"],
  expire: ["OK"],
  list: ["SLOTS"],
  publish: ["OK"],
  refund: ["FORBIDDEN", "SETTLED", "UNAUTHENTICATED"],
  reschedule: [
    ...["BOOKING_CONFLICT", "BOOKING_NOT_ACTIVE", "BOOKING_NOT_FOUND", "FORBIDDEN", "OK"],
    ...["RESCHEDULED", "SLOT_IN_PAST", "SLOT_NOT_FOUND", "SLOT_PROVIDER_MISMATCH"],
    "UNAUTHENTICATED",
  ],
  webhook: ["BOOKING_NOT_FOUND", "FORBIDDEN", "OK", "RECORDED", "UNAUTHENTICATED"],
  withdraw: ["OK", "SLOT_HAS_BOOKING", "SLOT_NOT_FOUND"],
};

/** Calls with a wrong response: another code, or another value in the body. */
function* withWrongResponses(call: Done): Iterable<Done> {
  const { operation, response } = call;
  if (response === undefined) return;
  for (const code of ["OK", "CREATED", "CANCELLED", "BOOKING_CONFLICT", "FORBIDDEN"]) {
    if (code !== response.code) yield { ...call, response: { ...response, code } };
  }
  if (response.outcome !== "ok") return;
  const body = response.body as JsonObject | null;
  for (const [part, value] of Object.entries(body ?? {})) {
    if (!["booking", "slot", "slots", "holds"].includes(part)) continue;
    // A new row may have any unused id.
    const makesRow = /^(create|publish)/.test(operation.name);
    for (const wrong of wrongValues(value, makesRow)) {
      yield { ...call, response: { ...response, body: { ...body, [part]: wrong } } };
    }
  }
}

/** Columns that only the functions answer; the rows at the end show them. */
const UNCOMPARED = ["withdrawnAt", "idempotencySlotId", "idempotencyPaymentIntentId"];

function* wrongValues(value: Json, makesRow: boolean): Iterable<Json> {
  if (Array.isArray(value)) {
    if (value.length > 0) yield value.slice(1);
  } else if (typeof value === "object" && value !== null) {
    for (const field of Object.keys(value)) {
      const isFree = UNCOMPARED.includes(field) || (makesRow && field === "id");
      if (!isFree) yield { ...value, [field]: "?" };
    }
  }
}

test("without concurrency, model and service agree on every response and on the final state", async () => {
  const { model } = booking;
  if (model?.split === undefined) throw new Error("the definition has no model");
  await fc.assert(
    fc.asyncProperty(sequences, async ({ initial, clients }) => {
      await service.system.reset(initial);
      const before = service.system.initialContents?.();
      const calls = await perform(clients.flat());
      const final = await service.system.contents?.();
      for (const part of model.split?.({ initial, before, calls, final }) ?? []) {
        let state = model.init(part);
        for (const call of part.calls) {
          for (const wrong of withWrongResponses(call)) {
            expect(model.step(state, wrong), JSON.stringify(wrong)).toEqual([]);
          }
          const [next] = model.step(state, call);
          expect(next, `${model.expected?.(state, call)}: ${JSON.stringify(call)}`).toBeDefined();
          state = next;
          seen.add(`${call.operation.name.replace(/Directly$/, "")} ${call.response?.code}`);
        }
        if (part.final !== undefined) expect(model.mismatch?.(state, part.final)).toBeUndefined();
      }
    }),
    { numRuns: 60, seed: 12 },
  );
  const answered = Object.entries(CODES).flatMap(([rule, codes]) =>
    codes.map((code) => `${rule} ${code}`),
  );
  expect([...seen].sort()).toEqual(answered);
});
