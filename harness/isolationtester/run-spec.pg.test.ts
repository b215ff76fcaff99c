import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { parseSpec } from "./parse.ts";
import { runSpec } from "./run-spec.ts";

let server: Server;
beforeAll(async () => {
  server = await startServer(testPostgres);
});
afterAll(() => server.stop());

/** The output of a spec, without the first line, which is always the same. */
async function outputOf(text: string, stepTimeoutMs = 60_000): Promise<string> {
  let output = "";
  await runSpec(server, parseSpec(text, "test.spec"), {
    name: "test",
    print: (part) => {
      output += part;
    },
    stepTimeoutMs,
    signal: undefined,
  });
  return output.replace(/^.*?Parsed test spec with \d sessions\n\n/s, "");
}

const TABLE = `
setup { create table t (id int primary key, v text); insert into t values (1, 'old'); }
teardown { drop table t; }
`;

test("a step that waits for a lock is printed when it begins to wait and when it completes", async () => {
  const output = await outputOf(`${TABLE}
    session a step a1 { begin; update t set v = 'a' where id = 1; } step a2 { commit; }
    session b setup { set default_transaction_isolation = 'repeatable read'; }
    step b1 { update t set v = 'b' returning id, v; select 1; } teardown { select v from t; }
    permutation a1 b1 a2
    permutation b1 a1 a2`);
  expect(output).toBe(`starting permutation: a1 b1 a2
step a1: begin; update t set v = 'a' where id = 1;
step b1: update t set v = 'b' returning id, v; select 1; <waiting ...>
step a2: commit;
step b1: <... completed>
ERROR:  could not serialize access due to concurrent update
v
-
a
(1 row)


starting permutation: b1 a1 a2
step b1: update t set v = 'b' returning id, v; select 1;
id|v
--+-
 1|b
(1 row)

?column?
--------
       1
(1 row)

step a1: begin; update t set v = 'a' where id = 1;
step a2: commit;
v
-
a
(1 row)

`);
});

test("prints the results before an error, and notices before the step", async () => {
  const output = await outputOf(`
    session a step a1 { select 1 as x; do $$ begin raise notice 'later' using hint = 'none';
      end $$; select 1/0; }
    step a2 { do $$ begin raise warning 'first'; end $$; select 2 as y; }
    permutation a1 a2`);
  expect(output).toContain(`end $$; select 1/0;
x
-
1
(1 row)

a: NOTICE:  later
HINT:  none
ERROR:  division by zero
a: WARNING:  first
step a2: do $$ begin raise warning 'first'; end $$; select 2 as y;
y
-
2
(1 row)

`);
});

test("a marker delays the report of a step until another step has completed", async () => {
  const steps = `
    session a step a1 { select pg_advisory_lock(1); } step a2 { select pg_advisory_unlock(1); }
    session b step b1 { do $$ begin raise notice 'n'; perform pg_advisory_lock(1); end $$; }
    session c step c1 { select 3; }`;
  const order = async (permutation: string) =>
    (await outputOf(`${steps} permutation ${permutation}`))
      .split("\n")
      .filter((line) => /^(step|b:) /.test(line))
      .map((line) => line.replace(/: (select|do) .*?( <waiting ...>)?$/, "$2"));
  expect(await order("a1(*) c1")).toEqual([
    "step a1 <waiting ...>",
    "step c1",
    "step a1: <... completed>",
  ]);
  expect(await order("a1 b1 c1(b1) a2")).toEqual([
    "step a1",
    "b: NOTICE:  n",
    "step b1 <waiting ...>",
    "step c1 <waiting ...>",
    "step a2",
    "step b1: <... completed>",
    "step c1: <... completed>",
  ]);
});

test("a marker delays the report of a step until another session has received notices", async () => {
  const output = await outputOf(`
    session a step a1 { select 1 as a; }
    session b step b1 { do $$ begin raise notice 'n'; end $$; }
    permutation a1(b1 notices 1) b1`);
  expect(output).toBe(`starting permutation: a1 b1
step a1: select 1 as a; <waiting ...>
b: NOTICE:  n
step b1: do $$ begin raise notice 'n'; end $$;
step a1: <... completed>
a
-
1
(1 row)

`);
});

test("a step is sent when its session has completed the last one, which is cancelled after the timeout", async () => {
  const output = await outputOf(
    `session a step a1 { select pg_advisory_lock(1); } step a2 { select pg_advisory_unlock(1); }
    session b step b1 { select pg_advisory_lock(1); } step b2 { select 'on'; }
    permutation a1 b1 b2 a2`,
    300,
  );
  expect(output.split("\n").filter((line) => /^(step|ERROR|isolationtester)/.test(line))).toEqual([
    "step a1: select pg_advisory_lock(1);",
    "step b1: select pg_advisory_lock(1); <waiting ...>",
    "isolationtester: canceling step b1 after 0 seconds",
    "step b1: <... completed>",
    "ERROR:  canceling statement due to user request",
    "step b2: select 'on';",
    "step a2: select pg_advisory_unlock(1);",
  ]);
});

test("a notification is printed with the session that sent it", async () => {
  const output = await outputOf(`
    session a step a1 { listen c; } step a2 { select 1 as one; }
    session b step b1 { notify c, 'x'; } step b2 { select pg_sleep(0); }
    permutation a1 b1 b2 a2`);
  expect(output).toContain(`(1 row)

a: NOTIFY "c" with payload "x" from b
`);
});

test("prints the loss of a session's connection", async () => {
  const output = await outputOf(
    "session a step a1 { select pg_terminate_backend(pg_backend_pid()); }",
  );
  expect(output).toContain(`FATAL:  terminating connection due to administrator command
server closed the connection unexpectedly
\tThis probably means the server terminated abnormally
\tbefore or while processing the request.

`);
});

test("a failed teardown is printed, and a failed setup is an error", async () => {
  const failing = "select missing()";
  const teardown = `session a step a1 { select; } teardown { ${failing}; }`;
  expect(await outputOf(teardown)).toBe(`starting permutation: a1
step a1: select;
teardown of session a failed: ERROR:  function missing() does not exist
HINT:  No function matches the given name and argument types. You might need to add explicit type casts.
`);
  await expect(outputOf(`setup { ${failing} } session a step a1 { }`)).rejects.toThrow(
    "The setup failed: function missing() does not exist",
  );
  await expect(outputOf(`session a setup { ${failing} } step a1 { }`)).rejects.toThrow(
    "The setup of session a failed",
  );
});

test.each([
  ["copy (select 1) to stdout", "Session a uses COPY … TO STDOUT"],
  ["create temp table t (a int); copy t from stdin", "Session a uses COPY … FROM STDIN"],
])("%s is refused with the session's name", async (sql, message) => {
  await expect(outputOf(`session a step a1 { ${sql} }`)).rejects.toThrow(message);
});

test("an error names the steps whose markers wait for each other", async () => {
  const spec = `session a step a1 { select; } session b step b1 { select; }
    permutation a1(*, b1) b1(a1)`;
  await expect(outputOf(spec)).rejects.toThrow(
    "the markers of these steps wait for each other: a1, b1",
  );
});
