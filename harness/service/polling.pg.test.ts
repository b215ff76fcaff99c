import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { scenarioService } from "./scenario-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

const SETUP = `
  create table counter (n int);
  insert into counter values (0);
  create table holder (name text);
  insert into holder values ('b');
  create function tick() returns boolean language plpgsql as
    'begin update counter set n = n + 1; return true; end';
  create function take() returns boolean language plpgsql as
    'begin update holder set name = ''a'' where name is null; return found; end'`;

/** @param again whether a client that got these rows executes its statement once more */
const client =
  (sql: string, again: (row: Record<string, unknown>, times: number) => boolean) =>
  async ({ url }: { readonly url: string }) => {
    const db = new Client(url);
    await db.connect();
    try {
      for (let times = 1; ; times++) {
        const { rows } = await db.query<Record<string, unknown>>(sql);
        if (!again(rows[0] ?? {}, times)) return times;
        if (times > 50) throw new Error("it is polled without an end");
      }
    } finally {
      await db.end();
    }
  };

async function notesOf(clients: Parameters<typeof scenarioService>[0]["clients"]) {
  const service = scenarioService({ setup: SETUP, clients }, "a.ts", new URL(import.meta.url));
  const control = { gates: ["statement"], isolation: "read committed" } as const;
  const { campaign, error } = await verify(server, service, { seed: 1, runs: 20, control });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toEqual([]);
  return campaign.uncontrolled.join("\n");
}

test("a function that writes and returns the same row is no polling", async () => {
  const three = (_: unknown, times: number) => times < 3;
  const notes = await notesOf({
    a: client("select tick()", three),
    b: client("update holder set name = 'c'", () => false),
  });
  expect(notes).not.toContain("polls");
});

test("a function that may write, and wrote nothing, is polling", async () => {
  const release = client("update holder set name = null where name = 'b'", () => false);
  const take = client("select take() as taken", ({ taken }) => taken === false);
  expect(await notesOf({ a: take, b: release })).toContain("polls");
});
