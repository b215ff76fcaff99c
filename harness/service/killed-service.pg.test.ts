import { afterAll, beforeAll, expect, test } from "vitest";
import { defineService, http, type Strategy, sql, strategies, verify } from "../index.ts";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";
import { type ClientContext, defineScenario } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

/** Pays in two transactions, and reverts the first one when the second fails. */
const SHOP = `
  const { Pool } = require("pg");
  const pool = new Pool({ connectionString: process.env.DATABASE_URL });
  pool.on("error", () => {});
  const pay = async () => {
    await pool.query("update account set paid = paid + 1");
    try {
      await pool.query("update account set received = received + 1");
    } catch (error) {
      await pool.query("update account set paid = paid - 1");
      throw error;
    }
  };
  require("node:http").createServer((_, response) => {
    pay().then(() => response.end("paid"), () => response.writeHead(503).end());
  }).listen(process.env.PORT, "127.0.0.1");`;

const order = { http: { method: "POST", path: "/order" } };
const payments = defineScenario({
  setup: "create table account (paid int, received int); insert into account values (0, 0)",
  service: { exec: [process.execPath, "-e", SHOP] },
  clients: { ada: order, bob: order },
  errors: ["503"],
  invariants: { "what is paid is received": "select * from account where paid <> received" },
});

type Faults = NonNullable<Parameters<typeof strategies>[0]["faults"]>;

function verifyWith(faults: Faults, definition = payments) {
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  const strategy = strategies({ preemptions: 0, faults }).find(({ name }) => name === "random");
  return verify(server, service, { seed: 1, runs: 30, strategy: strategy as Strategy });
}

test("a service that compensates for lost connections does not compensate for its own kill", async () => {
  const cut = await verifyWith(["cut-before"]);
  expect(cut.campaign.faults["cut-before"]).toBeGreaterThan(2);
  expect(cut.campaign).toMatchObject({ verdict: "pass", reason: null });
  const killed = await verifyWith(["kill-before"]);
  expect(killed.error).toBeUndefined();
  const [found] = killed.campaign.counterexamples;
  expect(found?.violations).toMatchObject([{ name: "what is paid is received" }]);
  expect(found?.schedule.entries.filter((entry) => entry.includes("!"))).toHaveLength(1);
});

test("operations in SQL go on while the service of a definition is killed", async () => {
  const definition = defineService({
    setup: payments.setup,
    service: { exec: [process.execPath, "-e", SHOP] },
    operations: {
      pay: http.post("/order"),
      look: sql("select paid from account for update"),
    },
    errors: ["503"],
    ignore: ["account"],
    invariants: { "what is paid is received": "select * from account where paid <> received" },
  });
  const service = definedService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 60, faults: ["kill-before"], checkers: ["invariant"], failFast: true },
  });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples[0]?.violations).toMatchObject([
    { name: "what is paid is received" },
  ]);
  expect(campaign.faults["kill-before"]).toBeGreaterThan(0);
});

test.each([
  [true, "is"],
  [false, "is not"],
])("a request whose option retry is %s %s sent again", async (retry) => {
  const definition = defineService({
    setup: payments.setup,
    service: { exec: [process.execPath, "-e", SHOP] },
    operations: { pay: http.post("/order", {}, { retry }) },
  });
  const service = definedService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 8, faults: ["kill-before", "retry"], checkers: ["leaks"] },
  });
  expect(error).toBeUndefined();
  expect(campaign.faults["kill-before"]).toBeGreaterThan(0);
  expect((campaign.faults["retry"] ?? 0) > 0).toBe(retry);
});

test("a client that uses the database itself goes on while the service is killed", async () => {
  const pays = async ({ url }: ClientContext) =>
    withClient(url, (db) =>
      db.query("update account set paid = paid + 1, received = received + 1"),
    );
  const mixed = { ...payments, clients: { ada: order, worker: pays } };
  const service = scenarioService(mixed, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 60, faults: ["kill-before"], control: { gates: ["statement"] } },
  });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples[0]?.violations).toMatchObject([
    { name: "what is paid is received" },
  ]);
});

test("kill faults are rejected if there is no service that Heddle has started", async () => {
  const { service: _, ...apart } = { ...payments, clients: { eve: async () => {} } };
  await expect(verifyWith(["kill-after"], apart)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("do without the faults kill-after"),
  });
});
