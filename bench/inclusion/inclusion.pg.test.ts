import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { GATE_NAMES, type GateName } from "../../harness/core/control.ts";
import { type Server, startServer } from "../../harness/postgres/provider.ts";
import { testPostgres } from "../../harness/postgres/server.fixture.ts";
import { compareOutcomes, DEFAULT_OPTIONS } from "./inclusion.ts";
import type { InclusionCase } from "./inclusion-case.ts";
import { checkInclusion, type InclusionFailure } from "./property.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

const TABLE = [
  "create table ta (id int primary key, v int)",
  "insert into ta values (1, 1), (2, 2)",
];

const caseOf = (
  setup: readonly string[],
  clients: readonly (readonly string[])[],
  isolation: InclusionCase["isolation"] = "read committed",
): InclusionCase => ({
  isolation,
  setup: [...TABLE, ...setup],
  clients: clients.map((messages) => ({ protocol: "simple", messages })),
});

const both = (...messages: string[]) => [messages, messages];

/**
 * For each kind of gate, a case with an outcome that is found with these gates alone. A `pg_sleep` where the gate
 * would stand makes the outcome frequent without control.
 */
const CASES: readonly (readonly [GateName, InclusionCase])[] = [
  [
    "routine",
    caseOf(
      [
        `create function reads_twice() returns text language plpgsql as $$
         declare x int;
         begin
           select v into x from ta where id = 1;
           perform pg_sleep(0.002);
           return x || ' ' || (select v from ta where id = 1);
         end $$`,
      ],
      [["select reads_twice()"], ["update ta set v = 5 where id = 1"]],
    ),
  ],
  [
    "routine",
    caseOf(
      [
        `create function in_sql() returns text language sql as $$
         select set_config('read.first', v::text, true) from ta where id = 1;
         select pg_sleep(0.002);
         select current_setting('read.first') || ' ' || v from ta where id = 1;
         $$`,
      ],
      [["select in_sql()"], ["update ta set v = 5 where id = 1"]],
    ),
  ],
  [
    "routine",
    caseOf(
      ["create table tb (x int, y int)"],
      [
        [
          `do $$
           declare
             x int;
             y int;
           begin
             select v into x from ta where id = 1;
             perform pg_sleep(0.002);
             select v into y from ta where id = 1;
             insert into tb values (x, y);
           end $$`,
        ],
        ["update ta set v = 5 where id = 1"],
      ],
    ),
  ],
  [
    "lock",
    caseOf(
      [],
      ["id", "id desc"].map((order) => [
        `select id, pg_sleep(0.002) from ta order by ${order} for update`,
      ]),
    ),
  ],
  [
    "row",
    caseOf(
      [],
      [1, 2].map((id) => [
        `with x as (update ta set v = v + 1 where id = ${id} returning v, pg_sleep(0.002))
         update ta t set v = x.v + 10 from x where t.id = ${3 - id}`,
      ]),
    ),
  ],
  [
    "commit",
    caseOf(
      [
        `create function stays() returns trigger language plpgsql as $$
         begin
           if not exists (select from ta where v > 0) then raise exception 'refused'; end if;
           perform pg_sleep(0.002);
           return null;
         end $$`,
        `create constraint trigger stays after update on ta deferrable initially deferred
         for each row execute function stays()`,
      ],
      [1, 2].map((id) => ["begin", `update ta set v = 0 where id = ${id}`, "commit"]),
    ),
  ],
  ["definition", caseOf([], both("create type dt as enum ('x')"))],
  [
    "snapshot",
    caseOf(
      [],
      [
        [
          "begin",
          `with waits as materialized (select pg_sleep(0.002))
           select id from waits, ta order by id limit 1 for update of ta skip locked`,
          "commit",
        ],
        ["delete from ta where id = 1"],
      ],
      "repeatable read",
    ),
  ],
  [
    "message",
    caseOf(
      [],
      [
        ["select v, pg_sleep(0.002) from ta where id = 1; select v from ta where id = 1"],
        ["update ta set v = 5 where id = 1"],
      ],
    ),
  ],
];

test.each(CASES)(
  "each outcome of uncontrolled runs is found with the kind %s",
  { tags: ["nightly"] },
  async (_, one) => {
    const { missed, verdict } = await compareOutcomes(server, one, DEFAULT_OPTIONS);
    expect({ missed, verdict }).toEqual({ missed: [], verdict: "included" });
  },
);

test.each(CASES)("an outcome is missed without the kind %s", async (kind, one) => {
  const gates = GATE_NAMES.filter((name) => name !== kind);
  const { verdict } = await compareOutcomes(server, one, { ...DEFAULT_OPTIONS, gates });
  expect(verdict).toBe("hole");
});

describe("of generated cases", () => {
  const options = {
    ...DEFAULT_OPTIONS,
    ...{ runs: 100, timeMs: Number.POSITIVE_INFINITY, shard: { index: 0, of: 1 }, first: 0 },
    failFast: true,
    shrinkMs: 0,
  };

  test("no outcome is missed", async () => {
    const failures: InclusionFailure[] = [];
    const totals = await checkInclusion(
      server,
      { ...options, cases: 6 },
      () => {},
      (failure) => failures.push(failure),
    );
    expect(failures).toEqual([]);
    expect(totals).toMatchObject({ scenarios: 6, holes: 0, failed: 0 });
  });
});
