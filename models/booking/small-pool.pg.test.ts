import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { definedService, type Server, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { booking, scenarioOf } from "./booking.fixture.ts";
import { BOOKING } from "./calendar.ts";
import definition from "./index.ts";
import { startBooking } from "./service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

function withConnections(connections: number, clients: number, mutant?: string) {
  const service = definedService(
    { ...definition, service: (start) => startBooking(start, connections) },
    "small-pool",
    new URL("./index.ts", import.meta.url),
  );
  const bounds = { minClients: clients, maxClients: clients };
  // Executions that wait for ever take long to shrink.
  const control = { gates: ["statement"] } as const;
  const options = { seed: 1, runs: 40, bounds, control, shrinkTimeMs: 1_000, mutant };
  return verify(server, service, { ...options, strategy: "random" });
}

test.each([1, 2])("four clients share %i connections", async (connections) => {
  const { campaign } = await withConnections(connections, 4);
  expect(campaign.counterexamples).toEqual([]);
  expect(campaign).toMatchObject({ verdict: "pass", executions: 40 });
});

test("requests that hold a connection while they wait for another are found to wait for each other", async () => {
  const cancel = ({ id: booking }: { readonly id: number }) => [
    { name: "cancel", as: "owner", booking },
  ];
  const scenario = scenarioOf(cancel(BOOKING.lapsed), cancel(BOOKING.confirmed));
  const { campaign } = await verify(
    server,
    { ...booking, scenarios: () => fc.constant(scenario) },
    {
      ...{ seed: 1, strategy: "exhaustive", preemptions: 1, mutant: "nested-checkout" },
      control: { gates: ["statement"] },
      shrinkTimeMs: 1_000,
    },
  );
  expect(campaign.counterexamples[0]).toMatchObject({
    preemptions: 1,
    violations: [{ name: "no-endless-wait" }],
  });
});

test("a request that needs two connections waits for ever if there is one", async () => {
  const { campaign } = await withConnections(1, 1, "statement-outside-its-transaction");
  const [violation] = campaign.counterexamples[0]?.violations ?? [];
  expect(violation?.name).toBe("no-endless-wait");
  expect(violation?.message).toContain("connection pool: 1 waiting");
});
