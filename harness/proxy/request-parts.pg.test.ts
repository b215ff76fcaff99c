import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commitGates } from "../instrumentation/commit-gates.ts";
import { lockGates } from "../instrumentation/lock-gates.ts";
import { messageGates } from "../instrumentation/message-gates.ts";
import { snapshotGates } from "../instrumentation/snapshot-gates.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { bind, execute, message, parse, query, sync } from "./messages.fixture.ts";
import { Recorder } from "./observer.fixture.ts";
import { type Proxied, proxied } from "./proxied-server.fixture.ts";
import { RawClient } from "./raw-client.fixture.ts";
import { WireProxy } from "./wire-proxy.ts";

const SNAPSHOT = 1;
const MESSAGE = 2;
const TABLES = 3;
const ROWS = 4;
const COMMIT = 5;

let server: Server;
let it: Proxied;
let gated: WireProxy;

beforeAll(async () => {
  server = await startServer(testPostgres);
  it = await proxied(server);
  await it.direct.query(`
    create schema heddle;
    create table t (id int primary key, v text);
    create table "u, v" ();
    create table w (a int, b int, unique (a, b));
    insert into w values (1, 1), (1, 2);
    create function volatile_one() returns int language sql volatile as 'select 1';
    create sequence s;
    create view calling as select volatile_one() as one, id from t`);
  const wire = {
    ...(await snapshotGates.install(it.direct, SNAPSHOT)).wire,
    ...(await messageGates.install(it.direct, MESSAGE)).wire,
    ...(await lockGates.install(it.direct, TABLES)).wire,
    ...(await commitGates.install(it.direct, COMMIT)).wire,
  };
  await lockGates.remove(it.direct);
  await snapshotGates.remove(it.direct);
  await commitGates.remove(it.direct);
  const locks = { enable: async () => {}, open: async () => {}, disable: async () => {} };
  gated = await WireProxy.start(it.database.url, await mkdtemp(join(server.folder, "w")), {
    gates: { locks, wire },
  });
});

afterAll(async () => {
  await gated?.stop();
  await it?.stop();
  await server?.stop();
});

const DESCRIBE = message("D", "P\0");

/** Requests, each on a session of its own, and the places at which they are held. */
const REQUESTS: {
  readonly [what: string]: readonly [requests: readonly (readonly Buffer[])[], places: number[]];
} = {
  "several reads": [[[query("select 1 as a; select 'ü' as b, null; /* é */ select 3;")]], [2, 2]],
  "writes, and no rows": [
    [[query("insert into t values (1, 'x'); update t set v = 'y'; delete from t")]],
    [2, 2],
  ],
  "an error in the middle": [[[query("select 1; select 1/0; select 2")], [query("select 4")]], [2]],
  "an error with a position": [
    [[query("select 1;\n  select 'ü', nonsense from t; select 2")], [query("table t")]],
    [2],
  ],
  "an error that undoes what came before": [
    [[query("insert into t values (1, 'x'); insert into t values (1, 'y')")], [query("table t")]],
    [2],
  ],
  "a transaction in one message": [
    [[query("begin; insert into t values (1, 'x'); lock table t; rollback")]],
    [2, 2, 2],
  ],
  "a transaction that goes on after the message": [
    [[query("select 1; begin; insert into t values (1, 'x')")], [query("rollback")]],
    [2, 2],
  ],
  "statements in a failed transaction": [
    [[query("begin; select 1/0")], [query("select 1; select 2")], [query("rollback")]],
    [2],
  ],
  "a change of the schema and its use": [
    [
      [
        query(
          "create table u (i int); insert into u values (1); select i + 0 from u; drop table u",
        ),
      ],
    ],
    [2, 2, 2],
  ],
  "statements that have to stay together": [
    [
      [query("select 1; lock table t; select 2")],
      [query("savepoint a; select 1")],
      [query("vacuum t; select 1")],
      [query("set local work_mem = '4MB'; show work_mem")],
      [query("select 1; call nothing()")],
      [query("select $1; select 2")],
      [query("select 1; selec 2")],
    ],
    [],
  ],
  "a read that locks rows": [[[query("select * from t for update")]], [1, COMMIT]],
  "a read that takes an advisory lock": [
    [[query("select pg_try_advisory_xact_lock(1)")]],
    [COMMIT],
  ],
  "a read that locks rows in a transaction": [
    [[query("begin")], [query("select * from t for update")], [query("commit")]],
    [1],
  ],
  "a read that locks rows, and fails": [
    [[query("select pg_advisory_xact_lock(1), 1/0")], [query("select 1")]],
    [],
  ],
  "statements in autocommit where sessions are serializable": [
    [
      [query("set default_transaction_isolation = serializable")],
      [query("select 1")],
      [query("insert into t values (1, 'x')")],
      [query("update t set v = 'y' where id = 2 returning v")],
      [query("do 'begin perform 1; end'")],
      [query("select 1; select 2")],
      [query("begin; select 1; commit")],
      [query("begin")],
      [query("select 1")],
      [query("commit")],
      [query("vacuum t")],
    ],
    // SELECT, UPDATE of no row, DO, two SELECTs, and the three statements of a transaction.
    [COMMIT, COMMIT, COMMIT, MESSAGE, COMMIT, MESSAGE, MESSAGE],
  ],
  "a batch where sessions are serializable": [
    [
      [query("set session characteristics as transaction isolation level serializable")],
      [parse("s", "select id, v from t where id = $1"), bind("s", ["1"]), execute(), sync],
      [parse("n", "insert into t values ($1)"), bind("n", ["5"]), execute(), sync],
      [bind("s", ["5"]), execute(), bind("s", ["6"]), execute(), sync],
      [parse("u", "select 1"), message("D", "Su\0"), sync],
    ],
    [COMMIT, MESSAGE, COMMIT],
  ],
  "a read that calls a volatile function": [
    [[query("select volatile_one() from t")], [query("select * from calling")]],
    [1, 1],
  ],
  "reads that see nothing newer than their snapshot": [
    [
      [query("select * from t")],
      [query("select volatile_one()")],
      [query("select max(id) from t")],
    ],
    [],
  ],
  "an error after the snapshot": [
    [[query("insert into t values (1, 'x')")], [query("select 1/(id - id) from t for update")]],
    [1],
  ],
  "a locking read in a message": [
    [[query("select 1; select * from t for update")]],
    [MESSAGE, SNAPSHOT, COMMIT],
  ],
  "a batch with a locking read": [
    [
      [
        parse("s", "select id, v from t where id > $1 for update"),
        message("D", "Ss\0"),
        bind("s", ["0"]),
        DESCRIBE,
        execute(),
        sync,
      ],
      [bind("s", ["1"]), execute(), sync],
      [bind("s", ["x"]), execute(), sync],
      [query("select 1")],
    ],
    [1, COMMIT, 1, COMMIT],
  ],
  "tables that are locked together": [
    [
      [query("begin")],
      [query('lock table only t, "u, v" *, w in share mode nowait')],
      [query("lock public.t, w; lock t, w")],
      [query("lock t, missing, w")],
      [query("rollback")],
    ],
    [TABLES, TABLES, TABLES, MESSAGE, TABLES, TABLES],
  ],
  "an error at the first of two tables": [
    [[query("begin")], [query("lock table missing, t in share mode")], [query("commit")]],
    [],
  ],
  "tables that are locked outside of a block": [[[query("lock t, w")], [query("select 1")]], []],
  "tables that a message locks": [
    [[query("begin; lock t, w; commit")]],
    [MESSAGE, TABLES, MESSAGE],
  ],
  "tables that a batch locks": [
    [
      [query("begin")],
      [parse("l", "lock t, w"), bind("l"), DESCRIBE, execute(), message("C", "P\0"), sync],
      [bind("l"), execute(), sync],
      [parse("m", "lock missing, w"), bind("m"), execute(), sync],
      [query("rollback")],
    ],
    [TABLES, TABLES],
  ],
  "rows that are locked one by one": [
    [
      [query("insert into t values (1, 'x'), (2, 'y'), (3, 'z')")],
      [query("select * from t order by id desc for no key update")],
      [query("select 1 / (2 - id) as x from t order by id for share")],
      [query("select 1 / (2 - id) as x from t for share limit 1; select 2 as two")],
      [query("select id from t where id > 9 for update skip locked")],
    ],
    [
      SNAPSHOT,
      ROWS,
      ROWS,
      ROWS,
      COMMIT,
      SNAPSHOT,
      ROWS,
      SNAPSHOT,
      MESSAGE,
      COMMIT,
      SNAPSHOT,
      COMMIT,
    ],
  ],
  "a volatile function for each row": [
    [
      [query("select volatile_one() from w")],
      [query("select nextval('s') from generate_series(1, 2)")],
    ],
    [1, ROWS, ROWS, ROWS, ROWS],
  ],
  "one row at most": [
    [
      [query("insert into t values (1, 'x'), (2, 'y')")],
      [query("select * from t where id = 1::int and v = 'x' for update")],
      [query("select * from t for update limit 1")],
      [query("select * from w where a = 1 and 2 = w.b for update")],
      [query("select * from w where a = 1 and b = a for update")],
    ],
    [1, COMMIT, 1, COMMIT, 1, COMMIT, 1, ROWS, COMMIT],
  ],
  "a batch that locks rows and commits": [
    [
      [query("insert into t values (1, 'x'), (2, 'y')")],
      [parse("", "select id from t for update"), bind(""), execute(), sync],
    ],
    [SNAPSHOT, ROWS, ROWS, COMMIT],
  ],
  "a known number of rows": [
    [
      [query("insert into t values (1, 'x'), (2, 'y'), (3, 'z')")],
      [query("select * from t where id in (1, 2) and v > '' order by id desc for update")],
      [query("select * from t for update limit 2")],
      [query("select * from t where id in (1, length(v)) for update")],
      [query("select * from w where a in (1, 3) and b in (2, 4, 5) for update")],
      [query("select * from t where id in (1, 2, 3) for update limit 2 offset 1")],
    ],
    [
      ...[SNAPSHOT, ROWS, COMMIT, SNAPSHOT, ROWS, COMMIT, SNAPSHOT, ROWS, COMMIT],
      ...[SNAPSHOT, ROWS, COMMIT, SNAPSHOT, ROWS, ROWS, COMMIT],
    ],
  ],
  "a batch that fetches rows": [
    [
      [query("insert into t values (1, 'x'), (2, 'y'), (3, 'z')")],
      [query("begin")],
      [
        parse("r", "select id from t where id < $1 for update"),
        bind("r", ["9"], { portal: "p" }),
        execute("p", 2),
        sync,
      ],
      [execute("p", 1), sync],
      [bind("r", ["9"]), execute("", 4), message("C", "P\0"), sync],
      [bind("r", ["9"]), execute("", 3), sync],
      [query("rollback")],
    ],
    [1, ROWS, 1, ROWS, ROWS, ROWS, 1, ROWS, ROWS],
  ],
  "several executions in one batch": [
    [
      [
        parse("", "insert into t values ($1) returning id"),
        bind("", ["8"]),
        execute(),
        bind("", ["8"]),
        execute(),
        bind("", ["9"]),
        execute(),
        sync,
      ],
      [query("table t")],
    ],
    [2],
  ],
};

test.each(Object.entries(REQUESTS))("in parts, the service gets the same messages: %s", async (_, [
  requests,
  places,
]) => {
  const recorder = new Recorder({ passes: true });
  const answers = async (url: string) => {
    await it.direct.query("truncate t; alter sequence s restart");
    const client = await RawClient.ready(url);
    const seen: string[] = [];
    for (const request of requests) {
      client.send(...request);
      seen.push(...(await client.until("Z")).map((frame) => frame.toString("latin1")));
    }
    client.close();
    return seen;
  };
  const expected = await answers(it.database.url);
  expect(await answers(gated.url)).toEqual(expected);
  gated.observer = recorder;
  expect(await answers(gated.url)).toEqual(expected);
  gated.observer = undefined;
  expect(recorder.places).toEqual(places);
});
