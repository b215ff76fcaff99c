import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defineService, http, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";
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

/** Two operations take two connections each, and read a table of their own; the third one conflicts with itself. */
function serviceWith(connections: number) {
  return defineService({
    setup: "create table a (id int); create table b (id int); create table c (id int)",
    service: async ({ databaseUrl }) => {
      const shared = new Pool({ connectionString: databaseUrl, max: connections });
      const answer = async ({ url }: IncomingMessage, response: ServerResponse) => {
        const own = await shared.connect();
        if (url === "/c") await own.query("update c set id = id + 1");
        else await own.query(`select from ${url === "/a" ? "a" : "b"}`);
        const other = await shared.connect();
        other.release();
        own.release();
        response.end();
      };
      const listener = createServer((request, response) => {
        void answer(request, response);
      });
      await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
      return {
        url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
        pools: [shared],
        async stop() {
          listener.closeAllConnections();
          listener.close();
          await shared.end();
        },
      };
    },
    operations: { one: http.get("/a"), two: http.get("/b"), three: http.get("/c") },
  });
}

test.each([
  [4, false],
  [3, true],
])("where a pool has %i connections, two requests that take two each are searched: %s", async (connections, searched) => {
  const service = definedService(serviceWith(connections), "a.ts", new URL(import.meta.url));
  const { campaign } = await verify(server, service, {
    seed: 1,
    pairs: true,
    stepTimeoutMs: 2_000,
  });
  expect(campaign.pairs.some(({ name }) => name.startsWith("one × two"))).toBe(searched);
});
