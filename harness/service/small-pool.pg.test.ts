import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { ClientContext } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

let pool: Pool | undefined;
let users = 0;

/** Takes two connections of a pool that has two. Two clients can have one each. */
async function takesTwo({ url }: ClientContext): Promise<void> {
  pool ??= new Pool({ connectionString: url, max: 2 });
  const shared = pool;
  users++;
  const own = await shared.connect();
  await own.query("select from a");
  await shared.query("select from b");
  own.release();
  if (--users > 0) return;
  pool = undefined;
  await shared.end();
}

test("reduction does not leave out that clients take the connections of a pool from each other", async () => {
  const setup = "create table a (id int); create table b (id int)";
  const scenario = { setup, clients: { one: takesTwo, two: takesTwo } };
  const service = scenarioService(scenario, "a.ts", new URL(import.meta.url));
  const { campaign } = await verify(server, service, { seed: 1, stepTimeoutMs: 2_000 });
  // The database does not know which client waits for which other one.
  expect(campaign.verdict).toBe("unknown");
  expect(campaign.reason).toContain("is in the service");
});
