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
async function migrate(url: string, alter: string, databases: Set<unknown>): Promise<void> {
  await withClient(url, async (client) => {
    const { rows: own } = await client.query(
      "select oid from pg_database where datname = current_database()",
    );
    databases.add(own[0]?.oid);
    const { rows } = await client.query("select to_regclass('part') is null as missing");
    if (!rows[0]?.missing) return;
    await client.query(
      `begin; lock table whole; ${alter} create table if not exists part (id int)`,
    );
    await client.query("insert into part select sum(amount) from whole; commit");
  });
}

test.each([
  { what: "that can be undone is repeated on the same database", alter: "", isCopied: false },
  {
    what: "that cannot be undone is repeated on a copy",
    alter: "alter table whole add column if not exists added int;",
    isCopied: true,
  },
])("an execution with a change of the schema $what, with the gates and the ports of the original", async ({
  alter,
  isCopied,
}) => {
  let begun = 0;
  const urls: string[] = [];
  const databases = new Set<unknown>();
  const migrates = ({ url }: { readonly url: string }) => {
    urls.push(url);
    return migrate(url, alter, databases);
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
  expect(begun).toBe(2);
  // The one of the first execution, and the one that the setup made once more; and each copy of that.
  if (isCopied) expect(databases.size).toBeGreaterThan(2);
  else expect(databases.size).toBe(2);
  expect(new Set(urls.slice(-10)).size).toBe(2);
});
