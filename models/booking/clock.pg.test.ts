import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type DefinedScenario,
  type Operation,
  type Server,
  type Strategy,
  startServer,
  verify,
} from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking, createOf } from "./booking.fixture.ts";
import { BOOKING, SLOT } from "./calendar.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const { id: soon } = SLOT.soonExpired;

/** Frees the slot that overlaps. */
const cancel: Operation = { name: "cancelDirectly", by: "owner", booking: BOOKING.soonLapsed.id };

/** The first claim waits for the locks of the second one, which is refused. */
const SCENARIO: DefinedScenario = {
  initial: { prefix: [cancel] },
  clients: [
    [createOf("createDirectly", soon)],
    [createOf("createDirectly", soon, { provider: 99 })],
    [{ name: "elapse" }],
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
  const service = { ...booking, scenarios: () => fc.constant(SCENARIO) };
  // A claim locks two slots, in one step.
  const control = { gates: ["statement", "routine"] } as const;
  const { campaign } = await verify(server, service, {
    seed: 1,
    runs: 1,
    strategy,
    mutant,
    control,
  });
  expect(campaign).toMatchObject({ verdict: "pass", executions: 1 });
  return { waits: campaign.waits, create: campaign.responses["createDirectly"] };
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
  expect((await answers(inOrder(...first))).create).toMatchObject({ OK: 1 });
});

test("the seeded bug that uses the transaction's start books a past slot", async () => {
  const mutant = "past-check-of-transaction-start";
  expect(await answers(inOrder(...WHILE_IT_WAITS), mutant)).toEqual({
    waits: 1,
    create: { OK: 1, SLOT_PROVIDER_MISMATCH: 1 },
  });
});
