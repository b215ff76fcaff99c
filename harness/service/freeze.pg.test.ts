import { randomUUID } from "node:crypto";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { installFreezing } from "../execution/frozen-globals.ts";
import { verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";
import { http } from "./operation-definition.ts";
import type { ScenarioDefinition } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";
import type { Service } from "./service.ts";

const restore = installFreezing();
let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
  restore();
});

const FREEZE = "2030-01-31T09:00:00.000Z";
const SETUP = "create table seen (value text)";

/** The answers of the clients in each execution. */
async function answersOf(definition: Partial<ScenarioDefinition>): Promise<string[]> {
  const answers: string[] = [];
  const scenario: ScenarioDefinition = {
    setup: SETUP,
    freeze: FREEZE,
    clients: {},
    ...definition,
    invariants: {
      answers: ({ outcomes }) =>
        void answers.push(JSON.stringify({ ada: outcomes["ada"], bob: outcomes["bob"] })),
    },
  };
  const service = scenarioService(scenario, "a.ts", new URL(import.meta.url));
  const control = { gates: ["statement"], isolation: "read committed" } as const;
  const { campaign, error } = await verify(server, service, { seed: 1, runs: 4, control });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toEqual([]);
  expect(campaign.executions).toBeGreaterThan(1);
  expect(campaign.control.freeze).toBe(FREEZE);
  expect(campaign.controlled.join()).toContain("the clock stands at 2030-01-31");
  return answers;
}

const insert = async (url: string, value: string) => {
  const db = new Client(url);
  await db.connect();
  await db.query("insert into seen values ($1)", [value]);
  await db.end();
};

test("clients in this process have the same time and the same random values in each execution", async () => {
  let prepared: string | undefined;
  const draw = async ({ url }: { readonly url: string }) => {
    await insert(url, randomUUID());
    return { at: new Date(), id: randomUUID(), number: Math.random(), prepared };
  };
  const setup = async ({ url }: { readonly url: string }) => {
    prepared ??= `${new Date().toISOString()} ${randomUUID()}`;
    await insert(url, "").catch(() => {});
    const db = new Client(url);
    await db.connect();
    await db.query(SETUP);
    await db.end();
  };
  const answers = await answersOf({ setup, clients: { ada: draw, bob: draw } });
  expect(new Set(answers).size).toBe(1);
  const { ada, bob } = JSON.parse(answers[0] ?? "");
  expect(ada.value.at).toBe(FREEZE);
  expect(ada.value.prepared).toContain(FREEZE);
  expect(ada.value.id).not.toBe(bob.value.id);
});

const PROGRAM = `
  const { Client } = require("pg");
  const { randomUUID } = require("node:crypto");
  const draw = () => JSON.stringify([new Date(), randomUUID(), Math.random()]);
`;

test("so do programs on Node", async () => {
  const client = (name: string) => ({
    exec: [
      process.execPath,
      "-e",
      `${PROGRAM} (async () => {
        const db = new Client(process.env.DATABASE_URL);
        await db.connect();
        await db.query("insert into seen values ($1)", ["${name}"]);
        await db.end();
        console.log(draw());
      })();`,
    ] as const,
  });
  const answers = await answersOf({ clients: { ada: client("ada"), bob: client("bob") } });
  expect(new Set(answers).size).toBe(1);
  expect(answers[0]).toContain(FREEZE);
});

test("so does a service on Node, which is seeded anew for each execution", async () => {
  const exec = [
    process.execPath,
    "-e",
    `${PROGRAM}
    const { Pool } = require("pg");
    const pool = new Pool({ connectionString: process.env.DATABASE_URL });
    require("node:http").createServer(async (_, response) => {
      await pool.query("insert into seen values ('x')");
      response.end(draw());
    }).listen(process.env.PORT, "127.0.0.1");`,
  ] as const;
  const request = { http: { path: "/" } };
  const answers = await answersOf({ service: { exec }, clients: { ada: request, bob: request } });
  expect(answers[0]).toContain(FREEZE);
  // Which client draws first depends on the schedule.
  const drawn = answers.map((answer) => answer.match(/[\da-f]{8}-[^"\\]+/g)?.toSorted());
  for (const ids of drawn) expect(ids).toEqual(drawn[0]);
});

const PYTHON = [
  "python3",
  "-c",
  `import http.server, os
class Answer(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200); self.end_headers(); self.wfile.write(b"ok")
http.server.HTTPServer(("127.0.0.1", int(os.environ["PORT"])), Answer).serve_forever()`,
] as const;

test.each<[string, Service]>([
  [
    "a scenario",
    scenarioService(
      { setup: SETUP, service: { exec: PYTHON }, clients: { ada: { http: { path: "/" } } } },
      "a.ts",
      new URL(import.meta.url),
    ),
  ],
  [
    "a definition",
    definedService(
      { setup: SETUP, service: { exec: PYTHON }, operations: { look: http.get("/") } },
      "a.ts",
      new URL(import.meta.url),
    ) as unknown as Service,
  ],
])("a service of %s that does not run on Node is said not to be frozen", async (_, service) => {
  const control = { freeze: FREEZE };
  const { campaign } = await verify(server, service, { seed: 1, runs: 1, control });
  expect(campaign.uncontrolled.join()).toContain("it is no program on Node");
});
