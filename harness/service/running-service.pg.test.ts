import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Pool } from "pg";
import { expect, test } from "vitest";
import { verify } from "../index.ts";
import { startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { scenarioService } from "./scenario-service.ts";

/** A port that is probably free. */
async function freePort(): Promise<number> {
  const probe = createServer().listen(0, "127.0.0.1");
  await once(probe, "listening");
  const { port } = probe.address() as AddressInfo;
  probe.close();
  return port;
}

test("drives a service that is running already through its database port", async () => {
  const databasePort = await freePort();
  // Any database and user: the service is not configured for Heddle.
  const pool = new Pool({
    connectionString: `postgres://shop:any@127.0.0.1:${databasePort}/shop`,
    max: 4,
  });
  pool.on("error", () => {});
  const visited = async () => {
    const { rows } = await pool.query<{ value: number }>("select value from counter");
    await pool.query("update counter set value = $1", [Number(rows[0]?.value) + 1]);
  };
  const shop = createServer((_, response) => {
    visited().then(
      () => response.end("counted"),
      () => response.writeHead(500).end(),
    );
  }).listen(0, "127.0.0.1");
  await once(shop, "listening");
  const { port } = shop.address() as AddressInfo;

  const server = await startServer(testPostgres);
  const visit = { http: { method: "POST", path: "/visit" } };
  const scenario = {
    setup: "create table counter (value int not null); insert into counter values (0)",
    service: { url: `http://127.0.0.1:${port}`, databasePort, databasePassword: "any" },
    clients: { ada: visit, bob: visit },
    invariants: { "every visit is counted": "select value from counter where value <> 2" },
  };
  const service = scenarioService(scenario, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, { seed: 1 });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toMatchObject([
    { preemptions: 1, violations: [{ name: "every visit is counted" }] },
  ]);
  await pool.end();
  shop.close();
  await server.stop();
});
