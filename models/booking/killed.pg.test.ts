import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer, strategies, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import type { BookingCommand } from "./commands.ts";
import booking from "./index.ts";
import type { BookingScenario } from "./scenarios.ts";
import { type BookingState, FUTURE_DAY, intentOf } from "./state.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres, { faults: true });
});

afterAll(() => server.stop());

const FAULTS = {
  service: ["kill-before", "kill-after", "retry"],
  server: ["crash", "retry"],
  connection: ["cut-before", "cut-after", "cancel", "terminate", "retry"],
} as const;

async function campaign(
  struck: keyof typeof FAULTS,
  runs: number,
  { mutant, scenario }: { mutant?: string; scenario?: BookingScenario } = {},
) {
  const options = { preemptions: 2, faults: FAULTS[struck] };
  const strategy = strategies(options).find(({ name }) => name === "random");
  if (strategy === undefined) throw new Error("there is no random strategy");
  const subject = scenario ? { ...booking, scenarios: () => fc.constant(scenario) } : booking;
  const control = { gates: ["statement"], isolation: "read committed" } as const;
  const told = { seed: 1, runs, mutant, strategy, control, shrinkTimeMs: 2_000 };
  return (await verify(server, subject, told)).campaign;
}

test.each([
  "service",
  "server",
] as const)("the service as shipped loses nothing and leaves nothing half-done when the %s is killed", async (struck) => {
  const { counterexamples, verdict, reason, faults } = await campaign(struck, 12);
  expect(counterexamples).toEqual([]);
  expect({ verdict, reason }).toEqual({ verdict: "pass", reason: null });
  expect(Object.keys(faults)).toContain(FAULTS[struck][0]);
});

const EMPTY: BookingState = {
  providers: [{ id: 1, name: "" }],
  slots: [
    {
      id: 1,
      provider: 1,
      startAt: FUTURE_DAY,
      endAt: "2100-01-04T10:00:00.000Z",
      available: true,
      withdrawn: false,
    },
  ],
  bookings: [],
  payments: [],
};

const CREATE: BookingCommand = {
  name: "create",
  via: "http",
  slot: { id: 1 },
  customer: "customer-1",
  customerName: "Ada",
  notes: "",
  createdBy: "customer",
};

test("a booking that was acknowledged and is lost in a crash is what the last read tells", async () => {
  const scenario = { initial: EMPTY, clients: [[CREATE]] };
  const mutant = "claim-answers-before-durable";
  const plain = await campaign("connection", 30, { mutant, scenario });
  expect(plain).toMatchObject({ verdict: "pass", counterexamples: [] });
  const { counterexamples } = await campaign("server", 100, { mutant, scenario });
  const [found] = counterexamples;
  expect(found?.schedule.lanes.at(-1)).toBe("bg!crash");
  expect(found?.violations[0]).toMatchObject({
    judge: "linearizability",
    evidence: [{ after: "client 0's create (CREATED)", wrong: "what was left" }],
  });
});

test("money that is given back twice takes a service that is killed in between", async () => {
  const refund = { name: "refund", via: "http" } as const;
  const cancelled = {
    id: 1,
    slot: 1,
    customer: "customer-1",
    customerName: "",
    notes: "",
    status: "cancelled",
    createdBy: "customer",
    holdExpiresAt: null,
  } as const;
  const payment = { intent: intentOf(1, 1), booking: 1, status: "refund_due" } as const;
  const initial = { ...EMPTY, bookings: [cancelled], payments: [payment] };
  const scenario = { initial, clients: [[refund, refund]] };
  const mutant = "refund-key-in-memory";
  const plain = await campaign("connection", 50, { mutant, scenario });
  expect(plain).toMatchObject({ verdict: "pass", counterexamples: [] });
  const { counterexamples } = await campaign("service", 100, { mutant, scenario });
  const [found] = counterexamples;
  expect(found?.schedule.lanes).toContain("0!kill-before");
  expect(found?.violations.map(({ judge }) => judge)).toContain("invariant");
});
