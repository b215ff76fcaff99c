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

/** The first claim waits for the locks of the second one, which is refused. */
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

/** Chooses these tasks in order, then the first enabled one. */
const inOrder = (...tasks: string[]): Strategy => ({
  name: "in order",
  description: "",
  injectsFaults: false,
  explore: () => ({
    executions: 1,
    scheduler: {
      begin: () => true,
      choose(enabled) {
        const task = tasks.shift();
        const choice = enabled.find((it) => it.task === task) ?? enabled[0];
        if (choice === undefined) throw new Error("no task is enabled");
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

// Client 1's claim has its locks when client 0's starts to wait for them; then time elapses.
const WHILE_IT_WAITS = ["1", "1", "1", "0", "0", "0", "2", "2", "1"];

test("a claim whose slot begins while it waits for a lock is refused", async () => {
  expect(await answers(inOrder(...WHILE_IT_WAITS))).toEqual({
    waits: 1,
    create: { SLOT_IN_PAST: 1, SLOT_PROVIDER_MISMATCH: 1 },
  });
});

test("a claim that is answered before its slot begins succeeds", async () => {
  const first = Array(20).fill("0");
  expect((await answers(inOrder(...first))).create).toMatchObject({ CREATED: 1 });
});

test("the seeded bug that uses the transaction's start books a past slot", async () => {
  const mutant = "past-check-of-transaction-start";
  expect(await answers(inOrder(...WHILE_IT_WAITS), mutant)).toEqual({
    waits: 1,
    create: { CREATED: 1, SLOT_PROVIDER_MISMATCH: 1 },
  });
});
