import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defineService, http, rowOf, type StartService, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

let running = 0;

/** Makes its table when it starts, as small services do. */
const startShop: StartService = async ({ databaseUrl }) => {
  const pool = new Pool({ connectionString: databaseUrl });
  await pool.query("create table if not exists items (id serial primary key, stock int not null)");
  const { rows } = await pool.query("select from items");
  if (rows.length === 0) await pool.query("insert into items (stock) values (5), (3)");
  const add = async (id: string, response: ServerResponse) => {
    const { rows } = await pool.query("select stock from items where id = $1", [id]);
    await pool.query("update items set stock = $2 where id = $1", [id, rows[0].stock + 1]);
    response.end("added");
  };
  const listener = createServer((request, response) => {
    void add(request.url?.slice(1) ?? "", response);
  });
  await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
  running++;
  return {
    url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
    async stop() {
      running--;
      listener.closeAllConnections();
      listener.close();
      await pool.end();
    },
  };
};

const shop = defineService({
  setup: [],
  service: startShop,
  operations: { add: http.post("/:id", { id: rowOf("items.id") }) },
});

const verified = (operations = shop.operations) => {
  const service = definedService({ ...shop, operations }, "a.ts", new URL(import.meta.url));
  return verify(server, service, { seed: 1, pairs: true, preemptions: 1 });
};

test("a service may make its tables when it starts: they are put back like those of a setup", async () => {
  const { campaign, error } = await verified();
  expect(error).toBeUndefined();
  expect(campaign.pairs.map(({ name, violated }) => [name, violated])).toEqual([
    ["add × add, same items.id", "serially-equivalent"],
    ["add × add, different items.id", undefined],
  ]);
  expect(campaign.counterexamples[0]?.unrepeated).toBeUndefined();
  expect(running).toBe(0);
});

test("a service does not go on if its definition turns out to be wrong", async () => {
  const operations = { add: http.post("/:id", { id: rowOf("item.id") }) };
  await expect(verified(operations)).rejects.toThrow(/names a column that there is not/);
  expect(running).toBe(0);
});
