import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScenarioDefinition, type VerifyOptions, verify } from "../index.ts";
import { withClient } from "../postgres/connection.ts";
import { processes } from "../postgres/harness-process.fixture.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { scenarioService } from "./scenario-service.ts";
import { noLostUpdate } from "./scenarios.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

const run = (definition: ScenarioDefinition, options: Partial<VerifyOptions> = {}) =>
  verify(server, scenarioService(definition, "a.ts", new URL(import.meta.url)), {
    seed: 1,
    control: { gates: ["statement"] },
    ...options,
  });

test("the setup and the clients get URLs of the same kind, which any library takes apart", async () => {
  const kinds = new Set<string>();
  const note = (url: string) => {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    const has = [port, username, password, pathname.slice(1)].map((part) => part !== "");
    kinds.add(JSON.stringify([protocol, hostname, has]));
  };
  const client = async ({ url }: { readonly url: string }) => {
    note(url);
    await withClient(url, (it) => it.query("select 1"));
  };
  const setup = ({ url }: { readonly url: string }) => note(url);
  const scenario = { ...noLostUpdate, setup, clients: { a: client, b: client }, invariants: {} };
  await run(scenario, { runs: 1 });
  expect([...kinds]).toEqual(['["postgres:","127.0.0.1",[true,true,true,true]]']);
});

const PROGRAM = `
  const { Client } = require("pg");
  const db = new Client(process.env.DATABASE_URL);
  (async () => {
    await db.connect();
    const { rows } = await db.query("update counter set value = value + 1 returning value");
    await db.end();
    console.log(rows[0].value);
  })();`;

test("a program that is started ahead sees the state of its own execution, and none is left", async () => {
  const mark = "started-ahead-by-a-test";
  const program = { exec: [process.execPath, "-e", PROGRAM, mark] as const };
  const answers: string[] = [];
  const { campaign } = await run(
    {
      ...noLostUpdate,
      clients: { a: program, b: program },
      invariants: {
        "each increment counts": ({ outcomes }) => {
          answers.push(
            Object.values(outcomes)
              .map((it) => "value" in it && it.value)
              .sort()
              .join(),
          );
          return [];
        },
      },
    },
    { runs: 4 },
  );
  expect(campaign).toMatchObject({ verdict: "pass", executions: 4 });
  expect(answers).toEqual(["1,2", "1,2", "1,2", "1,2"]);
  const left = () => processes().filter(({ command }) => command.includes(mark));
  await expect.poll(left).toEqual([]);
});

test("a verdict leaves out the moment at which a timeout of the application ends a statement", async () => {
  const add =
    (...before: readonly string[]) =>
    ({ url }: { readonly url: string }) =>
      withClient(url, async (client) => {
        for (const sql of [...before, "begin", "update counter set value = value + 1", "commit"])
          await client.query(sql);
      });
  const scenario = {
    ...noLostUpdate,
    errors: ["55P03"],
    invariants: {},
    clients: { patient: add(), hurried: add("set lock_timeout = '5ms'") },
  };
  const { campaign } = await run(scenario);
  expect(campaign).toMatchObject({
    verdict: "pass",
    ungated: [
      {
        name: "the moment at which a timeout of the application ends a statement",
        sampled: null,
      },
    ],
  });
  expect(campaign.coverage.some((sentence) => sentence.includes("without a bound"))).toBe(true);
  expect(campaign.uncontrolled.some((sentence) => sentence.includes("lock_timeout"))).toBe(true);
});
