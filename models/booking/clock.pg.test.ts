import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, type Strategy, startServer, TestClock, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import type { BookingCommand } from "./commands.ts";
import booking from "./index.ts";
import type { BookingMutant } from "./mutants/mutant.ts";
import { rewritten } from "./mutants/rewritten.ts";
import type { BookingScenario } from "./scenarios.ts";
import { migrateBooking, startBooking } from "./system.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const HOUR = 3_600_000;
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR).toISOString();

/** Two hours go by. */
const later = { name: "later" } as unknown as BookingCommand;
const create = (customer: string, provider?: number): BookingCommand => ({
  name: "create",
  via: "function",
  slot: { id: 1 },
  customer,
  customerName: customer,
  notes: "",
  createdBy: "customer",
  ...(provider !== undefined && { provider }),
});

/** The first claim waits for the locks of another one, which is refused in the end. */
const SCENARIO: BookingScenario = {
  initial: {
    providers: [{ id: 1, name: "Ada" }],
    slots: [
      {
        id: 1,
        provider: 1,
        startAt: inHours(1),
        endAt: inHours(1.5),
        available: true,
        withdrawn: false,
      },
    ],
    bookings: [],
    payments: [],
  },
  clients: [[create("customer-1")], [create("customer-2", 99)], [later]],
};

/** Moves those lanes first, and then whoever can. */
const inOrder = (...lanes: string[]): Strategy => ({
  name: "in order",
  description: "",
  strikes: false,
  explore: () => ({
    executions: 1,
    scheduler: {
      begin: () => true,
      choose(enabled) {
        const lane = lanes.shift();
        const choice = enabled.find((it) => it.lane === lane) ?? enabled[0];
        if (choice === undefined) throw new Error("nobody can move");
        return choice;
      },
    },
  }),
});

async function answers(strategy: Strategy, planted?: BookingMutant) {
  const { model: _, ids: __, ...rest } = booking;
  const subject: typeof booking = {
    ...rest,
    patterns: [],
    codes: { ...booking.codes, later: ["LATER"] },
    scenarios: () => fc.constant(SCENARIO),
    async migrate(url) {
      await TestClock.install(url);
      await migrateBooking(url, planted);
    },
    async start(context) {
      const clock = await TestClock.open(context.directUrl);
      const system = await startBooking(context, planted);
      return {
        ...system,
        async reset(initial) {
          await clock.shift(0);
          await system.reset(initial);
        },
        async perform(command, client) {
          if (command !== later) return system.perform(command, client);
          await clock.shift(2 * HOUR);
          return { outcome: "ok", code: "LATER", body: null };
        },
        async stop() {
          await clock.close();
          await system.stop();
        },
      };
    },
  };
  const { campaign } = await verify(server, subject, { seed: 1, runs: 1, strategy });
  expect(campaign).toMatchObject({ verdict: "pass", executions: 1 });
  return { waits: campaign.waits, create: campaign.responses["create"] };
}

// The claim of client 1 has its locks when client 0's comes to wait for them; then time passes.
const WHILE_IT_WAITS = ["1", "1", "1", "0", "0", "0", "2", "1"];

test("a slot that begins while its claim waits for a lock is not booked any more", async () => {
  expect(await answers(inOrder(...WHILE_IT_WAITS))).toEqual({
    waits: 1,
    create: { SLOT_IN_PAST: 1, SLOT_PROVIDER_MISMATCH: 1 },
  });
});

test("a slot that begins after the answer was booked in time", async () => {
  const first = Array(20).fill("0");
  expect((await answers(inOrder(...first))).create).toMatchObject({ CREATED: 1 });
});

test("whether it has begun is not judged by when the claim's transaction began", async () => {
  const [original, tempting] = ["v_now := clock_timestamp();", "v_now := now();"];
  const mutant: BookingMutant = {
    name: "past-check-of-transaction-start",
    story: "now(), as everywhere else",
    equivalent: "without a clock that is set, nothing tells it",
    sql: rewritten("claim_slot_and_create_booking", [original, tempting]),
  };
  expect(await answers(inOrder(...WHILE_IT_WAITS), mutant)).toEqual({
    waits: 1,
    create: { CREATED: 1, SLOT_PROVIDER_MISMATCH: 1 },
  });
});
