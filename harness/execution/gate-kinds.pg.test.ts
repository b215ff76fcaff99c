import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GateName, Isolation } from "../core/control.ts";
import type { Execution } from "../core/execution.ts";
import { readFootprints } from "../footprints/footprints.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { DynamicReduction } from "../scheduler/dynamic-reduction.ts";
import { Executor } from "./executor.ts";
import { LIMITS, STATEMENT_SERVICE, scenario, statements } from "./statements.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

const values = ({ snapshot }: Execution) =>
  JSON.stringify(snapshot["counter"]?.map((row) => row["value"]));
const responses = ({ trace }: Execution) =>
  trace.flatMap((event) => (event.type === "return" ? [event.response] : []));
const bodies = (execution: Execution) =>
  responses(execution).map(({ body }) => JSON.stringify(body));
const fails = (code: string) => (execution: Execution) =>
  responses(execution).some((response) => response.code === code);

/** One of the two counters stays 0. `lone` reads it with the last statement of a transaction. */
const LONE = `
create function lone() returns trigger language plpgsql as $$
begin
  if not exists (select from counter where value = 0) then raise exception 'none is left'; end if;
  return null;
end $$;
create function raise_one(which int) returns bigint language plpgsql as $$
begin
  update counter set value = 1 where id = which;
  return (select count(*) from counter where value = 0);
end $$;`;
const DEFERRED = `${LONE}
create constraint trigger lone after update on counter
  deferrable initially deferred for each row execute function lone()`;
const CREATE_TYPE = ["create type mood as enum ('a')", "drop type mood"];
const SKIPPING = ["select id from counter order by id limit 1 for update skip locked"];
const raise = (id: number) => `update counter set value = value + 1 where id = ${id}`;

interface Case {
  readonly kind: GateName;
  /** The gates with which it does not show yet. Default: those of statements alone. */
  readonly besides?: readonly GateName[];
  readonly setup: string;
  readonly isolation?: Isolation;
  readonly clients: readonly (readonly string[])[];
  /** Whether an execution has the outcome that exists with the gates alone. */
  readonly shows: (execution: Execution) => boolean;
}

const CASES: { readonly [name: string]: Case } = {
  "two deferred checks pass that each read before the other commit": {
    kind: "commit",
    setup: DEFERRED,
    clients: [
      ["begin", raise(1), "commit"],
      ["begin", raise(2), "commit"],
    ],
    shows: (execution) => values(execution) === "[1,1]",
  },
  "the deferred check of a statement in autocommit passes as well": {
    kind: "commit",
    setup: DEFERRED,
    clients: [[raise(1)], [raise(2)]],
    shows: (execution) => values(execution) === "[1,1]",
  },
  "two routines read last, before either commits": {
    kind: "commit",
    setup: LONE,
    clients: [["select raise_one(1)"], ["select raise_one(2)"]],
    shows: (execution) => bodies(execution).every((body) => body === '["1"]'),
  },
  "a serialization failure of three statements in autocommit, one of which only reads": {
    kind: "commit",
    setup: "select",
    isolation: "serializable",
    clients: [
      ["update counter set value = (select value from counter where id = 2) + 1 where id = 1"],
      ["update counter set value = 5 where id = 2"],
      ["select sum(value) from counter"],
    ],
    shows: fails("40001"),
  },
  "a query in autocommit skips the row that another one has locked": {
    kind: "commit",
    setup: "select",
    clients: [SKIPPING, SKIPPING],
    shows: (execution) => bodies(execution).includes('["2"]'),
  },
  "a type is created while another session creates it": {
    kind: "definition",
    setup: "select",
    clients: [CREATE_TYPE, CREATE_TYPE],
    shows: fails("23505"),
  },
  "an update sees one row as it is, and the others as they were": {
    kind: "snapshot",
    setup: "select",
    clients: [
      ["update counter set value = 1 where id = 2", "update counter set value = 1 where id = 1"],
      ["update counter set value = value + 10 * (select sum(value) + 1 from counter) where id = 1"],
    ],
    shows: (execution) => values(execution) === "[11,1]",
  },
  "a row changes after the snapshot of a query that skips locked rows": {
    kind: "snapshot",
    setup: "select",
    isolation: "repeatable read",
    clients: [[raise(1)], ["select id from counter order by id limit 1 for update skip locked"]],
    shows: fails("40001"),
  },
  "the second condition of a routine reads after another commit": {
    kind: "routine",
    setup: `create function look() returns text language plpgsql as $$
      begin
        if exists (select from counter where id = 1 and value > 0) then return 'first';
        elsif exists (select from counter where id = 2 and value > 0) then return 'second';
        end if;
        return 'none';
      end $$`,
    clients: [["select look()"], [raise(1), raise(2)]],
    shows: (execution) => bodies(execution).includes('["second"]'),
  },
  "the two reads of one message differ": {
    kind: "message",
    setup: "select",
    clients: [["select sum(value) from counter; select sum(value) from counter"], [raise(1)]],
    shows: (execution) => bodies(execution).includes('["0","1"]'),
  },
  "a type is created in a message, while another session creates it": {
    kind: "message",
    setup: "select",
    clients: [
      ["create type mood as enum ('a'); select 1", "drop type mood"],
      ["create type mood as enum ('a'); select 1", "drop type mood"],
    ],
    shows: fails("23505"),
  },
  "two statements lock the same tables in opposite orders": {
    kind: "lock",
    setup: "create table note ()",
    clients: [
      ["begin", "lock table counter, note", "commit"],
      ["begin", "lock table note, counter", "commit"],
    ],
    shows: fails("40P01"),
  },
  "two queries lock the same rows in opposite orders": {
    kind: "lock",
    setup: "select",
    clients: [
      ["begin", "select id from counter order by id for update", "commit"],
      ["begin", "select id from counter order by id desc for update", "commit"],
    ],
    shows: fails("40P01"),
  },
  "two queries lock advisory locks for rows in opposite orders": {
    kind: "lock",
    setup: "select",
    clients: [
      ["begin", "select pg_advisory_xact_lock(id) from counter order by id", "commit"],
      ["begin", "select pg_advisory_xact_lock(id) from counter order by id desc", "commit"],
    ],
    shows: fails("40P01"),
  },
  "two inserts refer to rows in opposite orders": {
    kind: "lock",
    setup: "create table child (id int references counter on delete cascade)",
    clients: [
      ["begin", "insert into child values (1), (2)", "commit"],
      ["begin", "select id from counter order by id desc for update", "commit"],
    ],
    shows: fails("40P01"),
  },
  "two routines lock the same rows in opposite orders": {
    kind: "lock",
    besides: ["statement", "routine"],
    setup: `create function up() returns void language plpgsql as $$
      begin perform from counter order by id for update; end $$;
      create function down() returns setof int language plpgsql as $$
      declare x int;
      begin
        for x in select id from counter order by id desc for update loop return next x; end loop;
      end $$`,
    clients: [["select up()"], ["select down()"]],
    shows: fails("40P01"),
  },
  "two routines lock the same tables in opposite orders": {
    kind: "lock",
    besides: ["statement", "routine"],
    setup: `create table note ();
      create function one() returns void language plpgsql as $$ begin lock counter, note; end $$;
      create function other() returns void language plpgsql as $$ begin lock note, counter; end $$`,
    clients: [["select one()"], ["select other()"]],
    shows: fails("40P01"),
  },
  "two updates lock the same rows in opposite orders": {
    kind: "row",
    setup: "select",
    clients: [
      ["update counter set value = 1"],
      [
        "with x as materialized (select ctid from counter order by id desc) update counter set value = 2 from x where counter.ctid = x.ctid",
      ],
    ],
    shows: fails("40P01"),
  },
  "a function that is declared stable takes two locks": {
    kind: "routine",
    setup: `create function two_locks(x int, y int) returns void stable language plpgsql as $$
      begin perform pg_advisory_xact_lock(x); perform pg_advisory_xact_lock(y); end $$`,
    clients: [
      ["begin", "select two_locks(1, 2)", "commit"],
      ["begin", "select two_locks(2, 1)", "commit"],
    ],
    shows: fails("40P01"),
  },
};

test.each(Object.entries(CASES))("only with its gates: %s", async (_, it) => {
  const scene = scenario(...it.clients.map((sql) => [statements(...sql)]));
  const migrate = async (url: string) => {
    await STATEMENT_SERVICE.migrate(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(it.setup);
    await client.end();
  };
  const before = it.besides ?? (["statement"] as const);
  for (const gates of [before, [...before, it.kind]]) {
    const control = { gates, isolation: it.isolation ?? "read committed" };
    const executor = await Executor.open(
      server,
      { ...STATEMENT_SERVICE, migrate },
      { ...LIMITS, control, footprints: readFootprints },
    );
    const search = new DynamicReduction();
    let shown = 0;
    while (search.begin()) if (it.shows(await executor.execute(scene, search))) shown++;
    await executor.close();
    expect(search.complete).toBe(true);
    expect(shown > 0).toBe(gates !== before);
  }
});
