import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { call, definedService, type Server, startServer, verify } from "../../harness/index.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { createOf, scenarioOf } from "./booking.fixture.ts";
import { EXPIRY_TIME, SLOT } from "./calendar.ts";
import definition from "./index.ts";
import { operations } from "./operations.ts";
import { directly } from "./service.ts";

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
  const scenario = scenarioOf(
    [{ name: "expire" }],
    [createOf("createDirectly", SLOT.free.id), { name: "list", provider: 1 }],
  );
  const expire = call({}, (_, { query }) =>
    directly(query, "holds", "select expire_holds($1) as expired", [at]),
  );
  const service = definedService(
    {
      ...definition,
      operations: { ...operations, expire },
      scenarios: () => fc.constant(scenario),
    },
    "expire",
    new URL("./index.ts", import.meta.url),
  );
  const options = { strategy: "exhaustive", preemptions: 1, control: CONTROL } as const;
  return verify(server, { ...service, single: true }, { seed: 1, runs: 500, ...options });
}

test("an expire with a past time ends every hold that is over, in every interleaving", async () => {
  const { campaign } = await explore(EXPIRY_TIME);
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, counterexamples: [] });
  expect(campaign.executions).toBeGreaterThan(20);
});

test("an expire with a future time ends holds that are not over, which the model does not", async () => {
  const { campaign } = await explore("2099-12-31T00:00:00.000Z");
  const [found] = campaign.counterexamples;
  expect(found?.violations.map(({ checker }) => checker)).toContain("linearizability");
  expect(found?.violations[0]?.evidence[0]).toMatchObject({
    because: 'OK is correct, with {"holds":{"expired":2}}, not {"holds":{"expired":3}}',
  });
});
