import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { strategies, type VerifyOptions, verify } from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { specFiles, specName, specService } from "./explore-spec.ts";

let server: Server;
let folder: string;

beforeAll(async () => {
  server = await startServer(testPostgres);
  folder = await mkdtemp(join(tmpdir(), "heddle-explored-"));
});

afterAll(async () => {
  await rm(folder, { recursive: true });
  await server.stop();
});

/** Runs a campaign with one spec and one invariant. */
async function explored(spec: string, invariant: string, options: Partial<VerifyOptions> = {}) {
  const files = [join(folder, "it.spec"), join(folder, "wrong.sql")] as const;
  await writeFile(files[0], spec);
  await writeFile(files[1], invariant);
  const name = specName(files[0], [files[1]]);
  expect(specFiles(name)).toEqual(files);
  const service = await specService(name, [...files]);
  return (await verify(server, service, { seed: 1, runs: 300, ...options })).campaign;
}

const doctors = (isolation: string) => `
  setup { create table doctors (id int, on_duty boolean); }
  setup { insert into doctors values (1, true), (2, true); }
  teardown { drop table doctors; }
  ${[1, 2]
    .map(
      (id) => `session s${id} setup { begin isolation level ${isolation}; }
      step leave${id} { update doctors set on_duty = false where id = ${id}
        and (select count(*) from doctors where on_duty) > 1; }
      teardown { commit; }`,
    )
    .join("\n")}`;

const NOBODY_ON_DUTY = "select count(*) from doctors where on_duty having count(*) = 0";

test("finds an interleaving that no permutation of the spec lists", async () => {
  const { verdict, counterexamples } = await explored(doctors("repeatable read"), NOBODY_ON_DUTY);
  expect(verdict).toBe("fail");
  const [found] = counterexamples;
  expect(found?.scenario.clients).toEqual([
    [{ name: "s1", steps: ["leave1"] }],
    [{ name: "s2", steps: ["leave2"] }],
  ]);
  const [broken, serial] = found?.violations ?? [];
  expect(broken).toEqual({
    ...{ checker: "invariant", name: "wrong" },
    ...{ message: '{"count":"0"}', evidence: [{ count: "0" }] },
  });
  expect(serial?.checker).toBe("serial-equivalence");
});

test("executes every interleaving if none breaks the invariant", async () => {
  const options = { control: { gates: ["statement"] as const }, reduction: false };
  const { verdict, executions } = await explored(doctors("serializable"), NOBODY_ON_DUTY, options);
  expect(verdict).toBe("pass");
  // Each session has four steps (start, begin, update, commit): 8 choose 4 interleavings.
  expect(executions).toBe(70);
});

test("finds a lost update without an invariant, since no serial order explains it", async () => {
  const account = (step: string) => `
    setup { create table account (balance int); insert into account values (0); }
    session a step a1 { begin; } step a2 { ${step} } step a3 { commit; }
    session b step b1 { begin; } step b2 { ${step} } step b3 { commit; }`;
  const anything = "select from account where false";
  const read = await explored(account("select balance from account;"), anything);
  expect(read.verdict).toBe("pass");
  const lost = `do $$ declare seen int; begin select balance into seen from account;
    update account set balance = seen + 1; end $$;`;
  const { verdict, rules } = await explored(account(lost), anything);
  expect(verdict).toBe("fail");
  expect(rules.filter(({ violated }) => violated > 0).map(({ name }) => name)).toEqual([
    "serially-equivalent",
  ]);
});

test("serial equivalence ignores aborted transactions, generated ids and times", async () => {
  const spec = `
    setup { create table t (id int generated always as identity primary key, at timestamptz
      default now()); insert into t default values; insert into t default values;
      create table u (t int references t, v int); insert into u values (1, 0), (2, 0); }
    session a step a1 { begin; } step a2 { update u set v = v + 1 where t = 1; }
      step a3 { update u set v = v + 1 where t = 2; } step a4 { commit; }
    session b step b1 { begin; } step b2 { update u set v = v + 1 where t = 2; }
      step b3 { update u set v = v + 1 where t = 1; }
      step b4 { with new as (insert into t default values returning id) insert into u
        select id, 5 from new returning t; }
      step b5 { commit; }
    session c step c1 { insert into t default values returning id; }`;
  const { verdict, deadlocks } = await explored(spec, "select from u where v > 5", {
    runs: 120,
  });
  expect(deadlocks).toBeGreaterThan(0);
  expect(verdict).toBe("pass");
});

const CLAIM = `
  setup { create table claims (slot int, holder text); }
  session a step a1 { insert into claims select 1, 'a' where not exists (select from claims); }
  session b step b1 { insert into claims select 1, 'b' where not exists (select from claims); }`;
const TWICE = "select slot from claims group by slot having count(*) > 1";

test("finds a race inside one statement with row gates, and not without them", async () => {
  const control = (...gates: ("statement" | "row")[]) =>
    ({ control: { gates, isolation: "read committed" } }) as const;
  expect((await explored(CLAIM, TWICE, control("statement"))).verdict).toBe("pass");
  expect((await explored(CLAIM, TWICE, control("statement", "row"))).verdict).toBe("fail");
});

test("repeats the setup of a spec that changes the schema before each execution", async () => {
  const spec = `
    setup { create table t (v int); insert into t values (0); }
    teardown { drop table t; }
    session a step a1 { alter table t add w int; } step a2 { select w from t; }
    session b step b1 { begin; } step b2 { update t set v = v + 1; } step b3 { commit; }`;
  const { verdict, executions, rules } = await explored(spec, "select v from t where v <> 1");
  expect({ verdict, violated: rules.filter(({ violated }) => violated > 0) }).toEqual({
    verdict: "pass",
    violated: [],
  });
  // Five statements, two of them of session a; some then wait for the other session.
  expect(executions).toBeGreaterThan(5);
});

test("a session keeps no settings, prepared statements or locks for the next execution", async () => {
  const spec = `
    setup { create table t (v text); }
    session a step a1 { insert into t select current_setting('lock_timeout'); }
      step a2 { set lock_timeout = '7s'; }
      step a3 { prepare p as select 1; }
      step a4 { select pg_advisory_lock(1); }
    session b step b1 { select; }`;
  const { verdict, executions } = await explored(spec, "select v from t where v <> '0'");
  expect(verdict).toBe("pass");
  expect(executions).toBeGreaterThan(10);
});

test("reopens a session whose connection is lost", async () => {
  const all = strategies({ preemptions: 2, faults: ["cut-after", "terminate"] });
  const random = all.filter(({ name }) => name === "random");
  for (const strategy of random) {
    const options = { strategy, runs: 50 };
    const { verdict, faults } = await explored(doctors("serializable"), NOBODY_ON_DUTY, options);
    expect(verdict).toBe("pass");
    expect(Object.keys(faults).sort()).toEqual(["cut-after", "terminate"]);
  }
  expect(random).toHaveLength(1);
});

test("rejects a path with a comma, which cannot be part of a name", () => {
  expect(() => specName("a,b.spec", [])).toThrow("The path a,b.spec contains a comma");
  expect(specFiles("models/booking/index.ts")).toBeUndefined();
});
