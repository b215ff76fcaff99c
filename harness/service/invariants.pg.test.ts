import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defineService, type ServiceDefinition, sql, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

type Invariants = NonNullable<ServiceDefinition["invariants"]>;

/** The names of the invariants that one client breaks, which adds 1 and takes it away again. */
async function broken(invariants: Invariants, observe?: "each-commit"): Promise<string[]> {
  const definition = defineService({
    setup: "create table counter (value int); insert into counter values (0)",
    operations: {
      add: sql("update counter set value = value + 1"),
      take: sql("update counter set value = value - 1"),
    },
    scenarios: (_, generate) =>
      fc
        .tuple(generate("add"), generate("take"))
        .map((clients) => ({ initial: { prefix: [] }, clients: [clients] })),
    invariants,
  });
  const service = definedService(definition, "counter.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 2, bounds: { minClients: 1, maxClients: 1 } },
    control: { gates: ["statement"], ...(observe && { observe }) },
  });
  expect(error).toBeUndefined();
  return campaign.counterexamples.flatMap(({ violations }) => violations.map(({ name }) => name));
}

test("a row of any statement breaks an invariant that has several", async () => {
  expect(await broken({ both: "select 1 where false; select 2 where false;" })).toEqual([]);
  expect(await broken({ both: "select 1; select 2 where false" })).toEqual(["both"]);
  expect(await broken({ both: "select 1 where false; select 2" })).toEqual(["both"]);
});

test("each commit is checked by SQL, and by functions that need no answers", async () => {
  const invariants: Invariants = {
    "in SQL": "select * from counter where value > 0",
    "as a function": ({ query }) => query("select * from counter where value > 0"),
    "of answers": ({ query, answers }) =>
      query(`select * from counter where ${answers.length} = 0`),
  };
  expect(await broken(invariants)).toEqual([]);
  expect((await broken(invariants, "each-commit")).sort()).toEqual(["as a function", "in SQL"]);
});
