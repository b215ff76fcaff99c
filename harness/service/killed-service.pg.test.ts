import { afterAll, beforeAll, expect, test } from "vitest";
import { type VerifyOptions, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { defineScenario } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

/** Pays in two transactions, and takes the first one back when the second fails. */
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

function struck(faults: VerifyOptions["faults"], definition = payments) {
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  return verify(server, service, { seed: 1, runs: 30, strategy: "random", faults });
}

test("a service that makes up for lost connections does not make up for its own end", async () => {
  const cut = await struck(["cut-before"]);
  expect(cut.campaign.faults["cut-before"]).toBeGreaterThan(2);
  expect(cut.campaign).toMatchObject({ verdict: "pass", reason: null });
  const killed = await struck(["kill-before"]);
  expect(killed.error).toBeUndefined();
  const [found] = killed.campaign.counterexamples;
  expect(found?.violations).toMatchObject([{ name: "what is paid is received" }]);
  expect(found?.schedule.entries.filter((entry) => entry.includes("!"))).toHaveLength(1);
});

test("where a client is more than a request, nobody can kill the service", async () => {
  const clients = { ...payments.clients, eve: async () => {} };
  await expect(struck(["kill-after"], { ...payments, clients })).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("do without the faults kill-after"),
  });
});
