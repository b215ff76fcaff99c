import { afterAll, beforeAll, expect, test } from "vitest";
import { defineService, sql, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

/** Counts twice, and then adds one to the total that it has read. */
const visit = (counts: string, adds: string) => `
  create table totals (visits int);
  create table visits (id int generated always as identity primary key);
  insert into totals values (0);
  create function visit() returns boolean language plpgsql as $$
  declare one int; other int; now int;
  begin
    ${counts}
    ${adds}
    insert into visits default values;
    return one = other;
  end $$;`;

const TWICE = "select count(*) into one from visits;\n select count(*) into other from visits;";
const ONCE = "select count(*) into one from visits;\n other = one;";
const STALE = "select visits into now from totals;\n update totals set visits = now + 1;";
const ATOMIC = "update totals set visits = visits + 1;";

test.each([
  ["in answers alone beside one in a table", TWICE, STALE, [[], ["public.totals"]]],
  ["in a table", ONCE, STALE, [["public.totals"]]],
  ["in answers alone", TWICE, ATOMIC, [[]]],
])("each race of two operations is found: %s", async (_, counts, adds, expected) => {
  const definition = defineService({
    setup: visit(counts, adds),
    operations: { visit: sql("select visit()") },
  });
  const service = definedService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, {
    ...{ seed: 1, pairs: true, preemptions: 1, control: { gates: ["statement", "routine"] } },
  });
  expect(error).toBeUndefined();
  const about = campaign.counterexamples.map(({ violations: [first] }) => first?.about ?? []);
  expect(about.sort()).toEqual(expected);
  for (const { preemptions } of campaign.counterexamples) expect(preemptions).toBe(1);
});

test("pairs come first whose conflicts can close a cycle", async () => {
  const definition = defineService({
    setup: visit(ONCE, STALE),
    operations: {
      add: sql("update totals set visits = visits + 1"),
      look: sql("select visits from totals"),
      visit: sql("select visit()"),
    },
  });
  const service = definedService(definition, "a.ts", new URL(import.meta.url));
  const { campaign } = await verify(server, service, {
    ...{ seed: 1, pairs: true, preemptions: 0, control: { gates: ["statement"] } },
  });
  expect(campaign.pairs.map(({ name }) => name)).toEqual([
    "add × visit",
    "look × visit",
    "visit × visit, same arguments",
    "add × add, same arguments",
    "add × look",
  ]);
});
