import { afterAll, beforeAll, expect, test } from "vitest";
import { definedService, type Server, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
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

test("a request that needs two connections waits for ever if there is one", async () => {
  const { campaign } = await withConnections(1, 1, "statement-outside-its-transaction");
  const [violation] = campaign.counterexamples[0]?.violations ?? [];
  expect(violation?.name).toBe("no-endless-wait");
  expect(violation?.message).toContain("connection pool: 1 waiting");
});
