import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { commitGates } from "../instrumentation/commit-gates.ts";
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
const COMMIT = 3;

let server: Server;
let it: Proxied;
let gated: WireProxy;

beforeAll(async () => {
  server = await startServer(testPostgres);
  it = await proxied(server);
  await it.direct.query(`
    create schema heddle;
    create table t (id int primary key, v text);
    create function volatile_one() returns int language sql volatile as 'select 1';
    create view calling as select volatile_one() as one, id from t`);
  const wire = {
    ...(await snapshotGates.install(it.direct, SNAPSHOT)).wire,
    ...(await messageGates.install(it.direct, MESSAGE)).wire,
    ...(await commitGates.install(it.direct, COMMIT)).wire,
  };
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
  "a read that locks rows": [[[query("select * from t for update")]], [1, 3]],
  "a read that takes an advisory lock": [[[query("select pg_try_advisory_xact_lock(1)")]], [3]],
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
    [3, 3, 3, 2, 3, 2, 2],
  ],
  "a batch where sessions are serializable": [
    [
      [query("set session characteristics as transaction isolation level serializable")],
      [parse("s", "select id, v from t where id = $1"), bind("s", ["1"]), execute(), sync],
      [parse("n", "insert into t values ($1)"), bind("n", ["5"]), execute(), sync],
      [bind("s", ["5"]), execute(), bind("s", ["6"]), execute(), sync],
      [parse("u", "select 1"), message("D", "Su\0"), sync],
    ],
    [3, 2, 3],
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
  "a locking read in a message": [[[query("select 1; select * from t for update")]], [2, 1, 3]],
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
    [1, 3, 1, 3],
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
    await it.direct.query("truncate t");
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
