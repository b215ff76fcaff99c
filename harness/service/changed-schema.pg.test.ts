import { afterAll, beforeAll, expect, test } from "vitest";
import { verify } from "../index.ts";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

/** Two processes bring the schema up to date; each finds out first whether that was done. */
async function migrate(url: string, alter: string): Promise<void> {
  await withClient(url, async (client) => {
    const { rows } = await client.query("select to_regclass('part') is null as missing");
    if (!rows[0]?.missing) return;
    await client.query(
      `begin; lock table whole; ${alter} create table if not exists part (id int)`,
    );
    await client.query("insert into part select sum(amount) from whole; commit");
  });
}

test.each([
  { what: "is undone: the database is set up once", alter: "", setups: 1 },
  {
    what: "that cannot be undone is repeated on a copy",
    alter: "alter table whole add column if not exists added int;",
    setups: 2,
  },
])("a change of the schema $what, with the gates and the ports of the original", async ({
  alter,
  setups,
}) => {
  let begun = 0;
  const urls: string[] = [];
  const migrates = ({ url }: { readonly url: string }) => {
    urls.push(url);
    return migrate(url, alter);
  };
  const definition = {
    setup: async ({ url }: { readonly url: string }) => {
      begun++;
      await withClient(url, (client) =>
        client.query("create table whole (amount int); insert into whole values (3), (4)"),
      );
    },
    clients: { one: migrates, other: migrates },
    invariants: {
      "the sum is there": "select from part having count(*) < 1 or min(id) <> 7",
    },
  };
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, runs: 5, checkDeterminism: true },
    control: { gates: ["statement", "row", "definition", "commit"] },
  });
  expect(error).toBeUndefined();
  // Each execution was repeated, and was the same at each gate: also the first, which had the original.
  expect(campaign).toMatchObject({ verdict: "pass", executions: 5 });
  expect(begun).toBe(setups);
  expect(new Set(urls.slice(-10)).size).toBe(2);
});
