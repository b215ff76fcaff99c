import { afterAll, beforeAll, expect, test } from "vitest";
import type { SystemContext } from "../execution/system.ts";
import { loadParser } from "../parser/sql.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { ScenarioDefinition } from "../service/scenario-definition.ts";
import { scenarioService } from "../service/scenario-service.ts";
import { recordSetup } from "./record-setup.ts";

let server: Server;

beforeAll(async () => {
  await loadParser();
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

function recorded(invariants: ScenarioDefinition["invariants"] & {}) {
  const definition = { setup: "", clients: { ada: () => null }, invariants };
  const file = new URL("race.mjs", import.meta.url);
  const service = scenarioService(definition, "race.mjs", file);
  const system = {
    migrate: (url: string) => service.migrate(url, undefined),
    start: (context: SystemContext) => service.start(context, undefined),
  };
  return recordSetup(server, system, null);
}

test("records no more than the check where the setup is empty, and the clients create the table", async () => {
  const { setup, check } = await recorded({ once: "select from made having count(*) > 1" });
  expect(setup.filter((sql) => sql !== "")).toEqual([]);
  expect(check).toEqual(["select from made having count(*) > 1"]);
});

test("a lost connection is an error all the same", async () => {
  const ended = "select pg_terminate_backend(pg_backend_pid())";
  await expect(recorded({ ended })).rejects.toThrow(/terminating connection/);
});
