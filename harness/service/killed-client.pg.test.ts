import { Client, Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ClientContext,
  defineService,
  http,
  type ScenarioDefinition,
  type Strategy,
  sql,
  strategies,
  verify,
} from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";
import { defineScenario } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

async function statement(url: string, text: string): Promise<void> {
  const db = new Client(url);
  db.on("error", () => {});
  await db.connect();
  try {
    await db.query(text);
  } finally {
    await db.end();
  }
}

/** Pays in two transactions, and reverts the first one when the second fails. */
async function pay({ url }: ClientContext): Promise<void> {
  await statement(url, "update account set paid = paid + 1");
  try {
    await statement(url, "update account set received = received + 1");
  } catch (error) {
    await statement(url, "update account set paid = paid - 1");
    throw error;
  }
}

/** The same as a program. */
const PROGRAM = `
  const { Client } = require("pg");
  const statement = async (text) => {
    const db = new Client(process.env.DATABASE_URL);
    db.on("error", () => {});
    await db.connect();
    await db.query(text).finally(() => db.end());
  };
  (async () => {
    await statement("update account set paid = paid + 1");
    await statement("update account set received = received + 1").catch(async (error) => {
      await statement("update account set paid = paid - 1");
      throw error;
    });
  })().catch(() => process.exit(1));`;

const payments = defineScenario({
  setup: "create table account (paid int, received int); insert into account values (0, 0)",
  clients: { ada: pay, bob: pay },
  errors: ["EXIT_1"],
  invariants: { "what is paid is received": "select * from account where paid <> received" },
});

type Faults = NonNullable<Parameters<typeof strategies>[0]["faults"]>;

function verifyWith(faults: Faults, definition: ScenarioDefinition, runs: number) {
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  const strategy = strategies({ preemptions: 0, faults }).find(({ name }) => name === "random");
  return verify(server, service, {
    ...{ seed: 1, runs, strategy: strategy as Strategy, control: { gates: ["statement"] } },
  });
}

const program = { exec: [process.execPath, "-e", PROGRAM] } as const;

test.each([
  ["functions", payments.clients, 30],
  ["programs", { ada: program, bob: program }, 12],
] as const)("%s that compensate for lost connections do not compensate for their own end", async (_, clients, runs) => {
  const definition = { ...payments, clients };
  const cut = await verifyWith(["cut-before"], definition, runs);
  expect(cut.error).toBeUndefined();
  expect(cut.campaign.faults["cut-before"]).toBeGreaterThan(0);
  expect(cut.campaign).toMatchObject({ verdict: "pass", reason: null });
  const killed = await verifyWith(["kill-client-before", "kill-client-after"], definition, 30);
  expect(killed.error).toBeUndefined();
  const [found] = killed.campaign.counterexamples;
  expect(found?.violations).toMatchObject([{ name: "what is paid is received" }]);
  expect(found?.unrepeated).toBeUndefined();
  expect(found?.schedule.entries.filter((entry) => entry.includes("!kill-client"))).toHaveLength(1);
});

test("a client that was killed is started again, and the others do not notice", async () => {
  const transaction = async ({ url }: ClientContext) =>
    statement(url, "update account set paid = paid + 1, received = received + 1");
  const definition = { ...payments, clients: { ada: transaction, bob: transaction } };
  const { campaign, error } = await verifyWith(["kill-client-after", "retry"], definition, 40);
  expect(error).toBeUndefined();
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
  expect(campaign.faults).toMatchObject({
    "kill-client-after": expect.any(Number),
    retry: expect.any(Number),
  });
  expect(campaign.responses["ada"]).toMatchObject({ KILLED: expect.any(Number) });
});

test("clients that share a pool are one process, so that none of them is killed", async () => {
  let pool: Pool | undefined;
  const shared = async ({ url }: ClientContext) => {
    pool ??= new Pool({ connectionString: url, max: 2, allowExitOnIdle: true });
    await pool.query("update account set paid = paid + 1, received = received + 1");
  };
  const definition = { ...payments, clients: { ada: shared, bob: shared } };
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 20, faults: ["kill-client-before"], control: { gates: ["statement"] } },
  });
  expect(error).toBeUndefined();
  expect(campaign.coverage).toContain(
    "No execution had a place for these faults: kill-client-before.",
  );
  await pool?.end();
});

test("of a definition, clients of the database are killed, and each begins anew", async () => {
  const definition = defineService({
    setup: payments.setup,
    operations: {
      pay: sql("update account set paid = paid + 1, received = received + 1"),
      look: sql("select * from account for update"),
    },
    invariants: payments.invariants as { [name: string]: string },
  });
  const service = definedService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 60, faults: ["kill-client-before", "kill-client-after", "retry"] },
    control: { gates: ["statement"] },
  });
  expect(error).toBeUndefined();
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
  expect(campaign.faults["kill-client-before"]).toBeGreaterThan(0);
  expect(campaign.faults["kill-client-after"]).toBeGreaterThan(0);
  expect(campaign.faults["retry"]).toBeGreaterThan(0);
});

test("a client that only sends requests cannot be killed", async () => {
  const definition = defineService({
    setup: payments.setup,
    service: () => ({ url: "http://127.0.0.1:1", stop: () => {} }),
    operations: { pay: http.post("/order") },
  });
  const service = definedService(definition, "a.ts", new URL(import.meta.url));
  const options = { seed: 1, runs: 1, faults: ["kill-client-after"] } as const;
  await expect(verify(server, service, options)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: expect.stringContaining("do without the faults kill-client-after"),
  });
});
