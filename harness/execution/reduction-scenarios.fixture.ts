import type { GateName } from "../core/control.ts";

/** Small scenarios by what they are about: the statements of each client. */
export const SCENARIOS: { readonly [name: string]: readonly (readonly string[])[] } = {
  "two tables": [
    ["begin", "update a set v = 1 where id = 1", "commit"],
    ["begin", "update b set v = 1 where id = 1", "commit"],
  ],
  "a lost update": [
    ["begin", "select v from a where id = 1", "update a set v = 1 where id = 1", "commit"],
    ["select v from a where id = 1", "update a set v = 2 where id = 1"],
  ],
  "write skew": [
    ["begin", "select v from a where id = 1", "update b set v = 1 where id = 1", "commit"],
    ["begin", "select v from b where id = 1", "update a set v = 1 where id = 1", "commit"],
  ],
  "a client that looks three times": [
    ["begin", "update a set v = 1 where id = 1", "commit"],
    Array.from({ length: 3 }, () => "select v from a where id = 1"),
  ],
  "a reader of two tables": [
    ["begin", "select v from b where id = 1", "select v from a where id = 1", "commit"],
    ["update a set v = 1 where id = 1", "update b set v = 1 where id = 1"],
  ],
  "a parent and its child": [
    ["begin", "insert into child values (1, 1)", "commit"],
    ["begin", "delete from parent where id = 1", "commit"],
  ],
  "children of one parent": [
    ["begin", "insert into child values (1, 1)", "commit"],
    ["begin", "insert into late values (2, 1)", "commit"],
  ],
  "a child with a deferred check": [
    ["begin", "insert into late values (1, 1)", "commit"],
    ["select count(*) from late", "delete from parent where id = 1"],
  ],
  "a delete that cascades": [
    ["begin", "delete from parent where id = 1", "commit"],
    ["update owned set v = 5 where id = 1", "select count(*) from owned"],
  ],
  "spans that overlap": [
    ["begin", "insert into span values (1, '[1,5)')", "commit"],
    ["begin", "insert into span values (2, '[4,8)')", "rollback"],
  ],
  "spans that do not overlap": [
    ["insert into span values (1, '[1,5)')", "select 1 as one"],
    ["begin", "insert into span values (2, '[5,8)')", "commit"],
  ],
  "identities that a rollback skips": [
    ["begin", "insert into numbered (who) values ('x')", "rollback"],
    ["insert into numbered (who) values ('y')", "insert into numbered (who) values ('z')"],
  ],
  "a sequence": [
    ["select nextval('counter')", "select nextval('counter')"],
    ["begin", "select nextval('counter'::regclass)", "rollback"],
  ],
  "one advisory lock": [
    ["begin", "select pg_advisory_xact_lock(1)", "select v from a where id = 1", "commit"],
    ["begin", "select pg_advisory_xact_lock(1)", "update a set v = v + 1 where id = 1", "commit"],
  ],
  "two advisory locks": [
    ["begin", "select pg_advisory_xact_lock(1)", "commit"],
    ["begin", "select pg_try_advisory_xact_lock(2)", "commit"],
  ],
  "an advisory lock that is tried": [
    ["begin", "select pg_advisory_xact_lock(7)", "commit"],
    ["select pg_try_advisory_xact_lock(7)", "select v from a where id = 1"],
  ],
  "a lock that is released with the connection": [
    ["select pg_advisory_lock(7)", "select v from a where id = 1", "close", "select 1 as one"],
    ["select 2 as two", "select pg_try_advisory_lock(7)", "close"],
  ],
  "a log that a trigger writes": [
    ["update logged set v = 1 where id = 1", "select v from log"],
    ["select count(*) from log", "update a set v = 3 where id = 1"],
  ],
  "a trigger that reads another table": [
    ["begin", "insert into guarded values (1, 1)", "commit"],
    ["update b set v = 1 where id = 1"],
  ],
  "a deferred trigger that reads another table": [
    ["begin", "insert into vowed values (1, 1)", "select v from b where id = 1", "commit"],
    ["update b set v = 1 where id = 1"],
  ],
  "a default that reads another table": [
    ["begin", "insert into filled values (1)", "select v from filled", "commit"],
    ["update b set v = 1 where id = 1"],
  ],
  "a routine that loses an update": [["select bump(1)"], ["select bump(1)"]],
  "routines with nothing in common": [["select bump(1)"], ["select bump_b(1)"]],
  "a routine within a routine": [["select twice(1)"], ["update b set v = 5 where id = 1"]],
  "a routine that undoes its writes": [
    ["select put(3)"],
    ["begin", "insert into a values (3, 0)", "commit"],
  ],
  "a routine that loops over rows": [["select sum_up()"], ["update a set v = 5 where id = 2"]],
  "a procedure": [["call move_one()"], ["begin", "select v from b where id = 1", "commit"]],
  "a function in SQL": [
    ["select add_sql(1)", "select v from total"],
    ["begin", "update a set v = v * 2 where id = 1", "commit"],
  ],
  "a function whose default argument reads another table": [
    ["begin", "select largest()", "select largest()", "commit"],
    ["update b set v = 9 where id = 1"],
  ],
  "a function that looks like a column": [
    ["begin", "select a.sum_of_b from a", "select a.sum_of_b from a", "commit"],
    ["update b set v = 9 where id = 1"],
  ],
  "a savepoint": [
    [
      "begin",
      "savepoint s",
      "update a set v = 1 where id = 1",
      "rollback to s",
      "update b set v = 1 where id = 1",
      "commit",
    ],
    ["update a set v = v + 2 where id = 1"],
  ],
  "settings, savepoints and constants between locks": [
    [
      "begin",
      "set local work_mem = '1MB'",
      "select 1 as one",
      "savepoint s",
      "update a set v = v + 1 where id = 1",
      "release s",
      "select 2 as two",
      "rollback",
    ],
    ["select v from a where id = 1 for update nowait"],
  ],
  "a statement that touches nothing, fails, and releases a lock": [
    ["begin", "update a set v = 1 where id = 1", "select 1 / 0", "rollback"],
    ["select v from a where id = 1 for update nowait"],
  ],
  "a return to a savepoint that releases a lock": [
    ["begin", "savepoint s", "update a set v = 1 where id = 1", "rollback to s", "commit"],
    ["select v from a where id = 1 for update nowait"],
  ],
  "a constant that takes the snapshot of its transaction": [
    ["begin", "select 1 as one", "select v from a where id = 1", "commit"],
    ["update a set v = 1 where id = 1"],
  ],
  "a failure that releases locks": [
    ["begin", "update a set v = 1 where id = 1", "select 1 / v from b where id = 1", "commit"],
    ["update a set v = v + 2 where id = 1", "update b set v = 1 where id = 1"],
  ],
  "locks in opposite orders": [
    [
      "begin",
      "update a set v = v + 1 where id = 1",
      "select v from a where id = 2 for share",
      "commit",
    ],
    ["select one_then_other(2, 1)"],
  ],
  "locks without waiting": [
    ["begin", "select v from a where id = 1 for update nowait", "commit"],
    ["begin", "select id from a order by id limit 1 for update skip locked", "commit"],
  ],
  "a transaction with an isolation level of its own": [
    ["begin isolation level repeatable read", "select v from b", "select v from a", "commit"],
    ["update a set v = 1", "update b set v = 1"],
  ],
  "three clients with a table each": [
    ["update a set v = 1 where id = 1"],
    ["update b set v = 1 where id = 1"],
    ["update parent set v = 1 where id = 1"],
  ],
  "three clients in a cycle": [
    ["update a set v = (select v from b where id = 1) + 1 where id = 1"],
    ["update b set v = (select v from a where id = 1) + 1 where id = 1"],
    ["select a.v, b.v from a, b where a.id = 1 and b.id = 1"],
  ],
  "a wait, and a third client": [
    ["begin", "update a set v = 1 where id = 1", "commit"],
    ["with x as (update b set v = 9 where id = 1) update a set v = v + 5 where id = 1"],
    ["select v from b where id = 1"],
  ],
  "a read-only witness": [
    ["select late_write()"],
    ["update a set v = 7 where id = 2"],
    ["select a.v, b.v from a, b where a.id = 2 and b.id = 1"],
  ],
  "transaction numbers that two writers get": [
    ["update a set v = 1 where id = 1"],
    ["update b set v = 1 where id = 1"],
    ["select a.xmin::text::int < b.xmin::text::int as first from a, b where a.id = 1 and b.id = 1"],
  ],
  "transaction numbers of a block": [
    ["begin", "update a set v = 1 where id = 1", "commit"],
    ["update b set v = 1 where id = 1"],
    ["select a.xmin::text::int < b.xmin::text::int as first from a, b where a.id = 1 and b.id = 1"],
  ],
  "clock times in different tables": [
    ["insert into opened default values", "insert into closed default values"],
    ["insert into paid default values"],
  ],
  "the time at which a transaction begins": [
    ["select v from a where id = 1", "begin", "insert into opened default values", "commit"],
    ["update a set v = 1 where id = 1", "insert into paid default values"],
  ],
  "the time at which a statement begins": [
    [
      "begin",
      "insert into opened values (statement_timestamp())",
      "insert into closed values (statement_timestamp())",
      "commit",
    ],
    ["insert into paid values ('now')"],
  ],
  "the clock in a deferred trigger": [
    ["begin", "insert into sealed values (1)", "select v from a where id = 1", "commit"],
    ["insert into paid default values"],
  ],
  "the clock in a routine": [["select open_and_close()"], ["insert into paid default values"]],
};

/** Scenarios about the gates of other kinds than the default ones, by kind. */
export const GATE_SCENARIOS: readonly (readonly [
  kind: GateName,
  clients: readonly (readonly string[])[],
])[] = [
  [
    "commit",
    [["begin", "insert into vowed values (1, 1)", "commit"], ["update b set v = 1 where id = 1"]],
  ],
  ["commit", [["select twice(1)"], ["update b set v = 5 where id = 1"]]],
  ["commit", [["update a set v = 1 where id = 1"], ["update b set v = 1 where id = 1"]]],
  [
    "snapshot",
    [
      ["update a set v = v + (select v from b where id = 1) where id = 1"],
      ["update b set v = 1 where id = 1", "update a set v = 3 where id = 1"],
    ],
  ],
  ["snapshot", [["select v from a where id = 1 for update"], ["update a set v = 3 where id = 1"]]],
  [
    "message",
    [
      ["select v from b; select v from a; update a set v = 2 where id = 1"],
      ["update a set v = 1 where id = 1", "update b set v = 1 where id = 1"],
    ],
  ],
  [
    "message",
    [
      ["begin; update a set v = 2 where id = 1; commit; update b set v = 7 where id = 1"],
      ["update a set v = 1 where id = 1"],
    ],
  ],
  [
    "lock",
    [
      ["begin", "select v from a order by id for update", "commit"],
      ["begin", "select v from a order by id desc for update", "commit"],
    ],
  ],
  [
    "lock",
    [
      ["begin", "select v from a order by id for update", "commit"],
      ["update a set v = 3 where id = 2", "select v from b where id = 1"],
    ],
  ],
  [
    "lock",
    [
      ["begin", "lock table a, b in share mode", "commit"],
      ["begin", "update b set v = 1 where id = 1", "update a set v = 1 where id = 1", "commit"],
    ],
  ],
  [
    "lock",
    [
      ["insert into child values (1, 1), (2, 2)"],
      ["begin", "select v from parent order by id desc for update", "commit"],
    ],
  ],
  [
    "lock",
    [
      ["begin", "insert into late values (1, 1), (2, 2)", "commit"],
      ["select v from parent where id = 2 for update", "delete from parent where id = 1"],
    ],
  ],
  ["routine", [["select lock_two(1, 2)"], ["begin", "select lock_two(2, 1)", "commit"]]],
  [
    "routine",
    [
      ["select lock_two(1, 2)"],
      ["update b set v = 7 where id = 1", "select pg_advisory_xact_lock(2)"],
    ],
  ],
  // Gates that an INSERT of one row reaches unnoticed.
  [
    "row",
    [
      ["insert into a values (3, 0)"],
      ["begin", "insert into a values (3, 1)", "select v from a order by id", "commit"],
    ],
  ],
  [
    "snapshot",
    [
      ["begin", "insert into child values (5, 1)", "select v from a where id = 1", "commit"],
      ["delete from parent where id = 1", "update a set v = 3 where id = 1"],
    ],
  ],
  ["row", [["begin", "insert into a values (3, 0)", "commit"], ["insert into a values (3, 1)"]]],
  [
    "row",
    [["insert into numbered (who) values ('x')"], ["insert into numbered (who) values ('y')"]],
  ],
  [
    "snapshot",
    [["insert into a values (3, 0)"], ["begin", "lock table a in share mode nowait", "commit"]],
  ],
];
