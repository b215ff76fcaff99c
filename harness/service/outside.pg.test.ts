import { afterAll, beforeAll, expect, test } from "vitest";
import { call, defineService, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

test("what a service uses besides its database begins anew with each prefix that is tried", async () => {
  /** What a stand-in for a gateway keeps: each order is paid once. */
  const paid = new Set<number>();
  const definition = defineService({
    setup: "create table payments (id int primary key)",
    operations: {
      pay: call({}, async (_, { query }) => {
        const rows = await query("select count(*)::int as paid from payments");
        const order = Number(rows[0]?.["paid"]);
        if (paid.has(order)) throw Object.assign(new Error("paid"), { code: "PAID" });
        paid.add(order);
        await query("insert into payments values ($1)", [order]);
      }),
    },
    outside: () => ({ url: "", begin: () => paid.clear(), stop() {} }),
  });
  const service = definedService(definition, "pay.ts", new URL(import.meta.url));
  const { campaign } = await verify(server, service, {
    ...{ seed: 1, runs: 20, pairs: true, strategy: "exhaustive", preemptions: 1 },
    control: { gates: ["statement"] },
  });
  expect(Object.keys(campaign.responses)).toEqual(["pay"]);
  expect(campaign.coverage).toEqual([expect.stringMatching(/^All 6 interleavings .* of 1 /)]);
});
