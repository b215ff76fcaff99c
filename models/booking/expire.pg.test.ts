import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import booking from "./index.ts";
import type { BookingScenario } from "./scenarios.ts";
import { ADJACENT, EXPIRY_TIME, initialState } from "./state.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

/** The race is between whole statements. */
const CONTROL = { gates: ["statement", "routine"] } as const;

/**
 * Explores an `expire` with the time `at`, while another client makes a booking and then lists free
 * slots.
 */
function explore(at: string) {
  const place = { sameProvider: true, past: false, soon: false, gap: ADJACENT } as const;
  const scenario: BookingScenario = {
    initial: initialState([
      { ...place, outcome: "lapsed" },
      { ...place, outcome: "free" },
    ]),
    clients: [
      [{ name: "expire", via: "function", at }],
      [
        {
          name: "create",
          via: "function",
          slot: { id: 2 },
          customer: "customer-2",
          customerName: "Bob",
          notes: "",
          createdBy: "customer",
        },
        { name: "list", via: "http", provider: 1 },
      ],
    ],
  };
  const service = { ...booking, scenarios: () => fc.constant(scenario), single: true };
  const options = { strategy: "exhaustive", preemptions: 1, control: CONTROL } as const;
  return verify(server, service, { seed: 1, runs: 500, ...options });
}

test("an expire with a past time ends every hold that is over, in every interleaving", async () => {
  const { campaign } = await explore(EXPIRY_TIME);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, counterexamples: [] });
  expect(campaign.executions).toBeGreaterThan(20);
});

test("an expire with a future time may miss a hold that is made meanwhile", async () => {
  const { campaign } = await explore("2099-12-31T00:00:00.000Z");
  const [found] = campaign.counterexamples;
  expect(found?.violations.map(({ checker }) => checker)).toContain("linearizability");
  expect(found?.violations[0]?.evidence[0]).toMatchObject({
    because: 'EXPIRED is correct, with {"expired":2}, not {"expired":1}',
  });
});
