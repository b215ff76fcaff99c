import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, type Strategy, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import booking from "./index.ts";
import type { BookingOperation } from "./operations.ts";
import type { BookingScenario } from "./scenarios.ts";
import { APART, initialState } from "./state.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const create = (customer: string, provider?: number): BookingOperation => ({
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
  initial: initialState([
    { sameProvider: true, past: false, soon: true, gap: APART, outcome: "free" },
  ]),
  clients: [
    [create("customer-1")],
    [create("customer-2", 99)],
    [{ name: "elapse", via: "function" }],
  ],
};

/** Moves those tasks first, and then whoever can. */
const inOrder = (...tasks: string[]): Strategy => ({
  name: "in order",
  description: "",
  strikes: false,
  explore: () => ({
    executions: 1,
    scheduler: {
      begin: () => true,
      choose(enabled) {
        const task = tasks.shift();
        const choice = enabled.find((it) => it.task === task) ?? enabled[0];
        if (choice === undefined) throw new Error("nobody can move");
        return choice;
      },
    },
  }),
});

async function answers(strategy: Strategy, mutant?: string) {
  const service = { ...booking, patterns: [], scenarios: () => fc.constant(SCENARIO) };
  const { campaign } = await verify(server, service, { seed: 1, runs: 1, strategy, mutant });
  expect(campaign).toMatchObject({ verdict: "pass", executions: 1 });
  return { waits: campaign.waits, create: campaign.responses["create"] };
}

// The claim of client 1 has its locks when client 0's comes to wait for them; then time passes.
const WHILE_IT_WAITS = ["1", "1", "1", "0", "0", "0", "2", "2", "1"];

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

test("whether it has begun is not checked by when the claim's transaction began", async () => {
  const mutant = "past-check-of-transaction-start";
  expect(await answers(inOrder(...WHILE_IT_WAITS), mutant)).toEqual({
    waits: 1,
    create: { CREATED: 1, SLOT_PROVIDER_MISMATCH: 1 },
  });
});
