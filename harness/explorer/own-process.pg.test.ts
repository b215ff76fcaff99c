import { mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { openExecutor } from "../service/open-executor.ts";
import { defineScenario } from "../service/scenario-definition.ts";
import { scenarioService } from "../service/scenario-service.ts";
import { replay } from "./replay.ts";
import { verify } from "./verify.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const handler = (before: string, code: string) => `
  const { Pool } = require("pg");
  const pool = new Pool({ connectionString: process.env.DATABASE_URL, max: 2 });
  ${before}
  require("node:http").createServer(async (_, response) => {
    ${code}
    response.end("ok");
  }).listen(process.env.PORT, "127.0.0.1");`;

/** The loser of the race ends the process. */
const CRASHES = handler(
  "",
  `const { rows } = await pool.query("select * from users");
  if (rows.length === 0) await pool.query("insert into users values ('ann')");`,
);
/** The first request reads what all requests use. */
const REMEMBERS = handler(
  "let limit;",
  `limit ??= (await pool.query("select max from config")).rows[0].max;
  const { rows } = await pool.query("select count(*)::int as n from seats");
  if (rows[0].n < limit) await pool.query("insert into seats default values");`,
);

const request = { http: { path: "/" } };

async function foundAndReplayed(code: string, setup: string, oneRow: string) {
  const definition = defineScenario({
    setup,
    service: { exec: [process.execPath, "-e", code] },
    clients: { ada: request, bob: request },
    invariants: { "one row": oneRow },
  });
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  const { campaign } = await verify(server, service, { seed: 1 });
  const [found] = campaign.counterexamples;
  if (found === undefined) throw new Error("there is no counterexample");
  const { control } = found;
  const options = { control, stepTimeoutMs: 10_000, signal: undefined };
  const executor = await openExecutor(server, service, undefined, options);
  try {
    for (let left = 3; left > 0; left--) {
      expect((await replay(executor, service, found)).diverged).toBeUndefined();
    }
  } finally {
    await executor.close();
  }
  return found;
}

test("a service that ends because of a race is a finding, and replays", async () => {
  const setup = "create table users (name text primary key)";
  const { violations } = await foundAndReplayed(
    CRASHES,
    setup,
    "select count(*) from users having count(*) <> 1",
  );
  expect(violations).toMatchObject([
    { name: "service-stays-up", message: expect.stringContaining("EXIT_1: error: duplicate key") },
  ]);
});

test("a service that remembers its first request is replayed as warm as it was searched", async () => {
  const setup =
    "create table config (max int); insert into config values (1); create table seats (id serial)";
  const { violations, trace } = await foundAndReplayed(
    REMEMBERS,
    setup,
    "select count(*) from seats having count(*) > 1",
  );
  expect(violations).toMatchObject([{ name: "one row" }]);
  expect(JSON.stringify(trace)).not.toContain("from config");
});

test("what a service prints on its standard error is in a file that the report names", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-log-"));
  const serviceLog = join(folder, "service.log");
  const run = async (code: string) => {
    const definition = defineScenario({
      setup: "create table t (id int)",
      service: { exec: [process.execPath, "-e", handler(code, "")] },
      clients: { ada: request },
    });
    const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
    return (await verify(server, service, { seed: 1, runs: 1, serviceLog })).campaign;
  };
  try {
    expect((await run("")).serviceLog).toBeNull();
    expect((await run('console.error("it begins");')).serviceLog).toBe(serviceLog);
    expect(await readFile(serviceLog, "utf8")).toMatch(/^(it begins\n)+$/);
  } finally {
    await rm(folder, { recursive: true });
  }
});
