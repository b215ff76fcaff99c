import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking, createOf, scenarioOf } from "./booking.fixture.ts";
import { SLOT } from "./calendar.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

test("a create in two transactions leaves an incomplete booking if the connection is cut in between", async () => {
  const create = createOf("create", SLOT.free.id, { paymentIntentId: "pi_7" });
  const scenario = scenarioOf([{ name: "list", provider: 1 }, create, { name: "expire" }]);
  const service = { ...booking, scenarios: () => fc.constant(scenario) };
  const { campaign } = await verify(server, service, {
    ...{ seed: 1, runs: 200, bounds: { minClients: 1, maxClients: 1 } },
    mutant: "claim-then-complete",
    strategy: "random",
    faults: ["cut-before"],
    control: { gates: ["statement"], isolation: "read committed" },
    shrinkTimeMs: 100_000,
  });
  expect(campaign.verdict).toBe("fail");
  const [counterexample] = campaign.counterexamples;
  expect(counterexample?.scenario.clients.flat().map(({ name }) => name)).toEqual(["create"]);
  const struck = counterexample?.schedule.entries.filter((entry) => entry.includes("!"));
  expect(struck).toEqual(["0!cut-before"]);
  // The consistency checks pass, although the booking's payment and key are missing.
  expect(counterexample?.violations.map(({ checker }) => checker)).toEqual(["linearizability"]);
});

test("the service without a bug passes under all faults of connections and clients", async () => {
  const { campaign } = await verify(server, booking, {
    seed: 1,
    runs: 100,
    strategy: "random",
    faults: ["cut-before", "cut-after", "cancel", "terminate", "give-up", "retry"],
  });
  expect(campaign.counterexamples).toEqual([]);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
  expect(Object.keys(campaign.faults).length).toBeGreaterThan(3);
});
