import { beforeAll, expect, test } from "vitest";
import { loadParser } from "../parser/sql.ts";
import { exportedSpec } from "./exported-spec.ts";
import { parseSpec } from "./parse.ts";
import { psqlScripts } from "./psql-scripts.ts";
import type { Reproduction } from "./reproduction.ts";

beforeAll(loadParser);

const done = { tags: ["UPDATE 1"], transaction: "idle" } as const;
const deadlock = { sqlstate: "40P01", message: "deadlock | detected" };

const REPRODUCTION: Reproduction = {
  counterexample: {
    service: "accounts",
    mutant: null,
    violations: [{ checker: "invariant", name: "sum", message: "It is\n1.", evidence: [] }],
    control: { gates: ["statement"], isolation: "serializable" },
  },
  setup: ["create table t (a int[]); insert into t values ('{}')"],
  steps: [
    {
      number: 1,
      task: "1",
      statement: { sql: "update t set a = $1", values: ["{1}"] },
      waitsFor: ["0"],
      result: done,
    },
    {
      number: 2,
      task: "0",
      statement: { sql: "update t set a = null; select 2", values: [] },
      waitsFor: [],
      result: { tags: [], error: deadlock, transaction: "idle" },
    },
  ],
  check: ["select * from t"],
};

test("the spec has the setup, a session for each client, and the check at the end", () => {
  const text = exportedSpec(REPRODUCTION);
  const spec = parseSpec(text, "it");
  expect(spec.setups).toEqual(["create table t (a int[]); insert into t values (E'{\\x7D')"]);
  expect(spec.sessions.map(({ name, setup }) => [name, setup])).toEqual([
    [
      "client0",
      "set default_transaction_isolation = 'serializable'; set deadlock_timeout = '10ms';",
    ],
    [
      "client1",
      "set default_transaction_isolation = 'serializable'; set deadlock_timeout = '100s';",
    ],
    ["check", undefined],
  ]);
  const [permutation = []] = spec.permutations;
  expect(permutation.map(({ step }) => `${step.name}: ${step.sql}`)).toEqual([
    "s1: update t set a = E'{1\\x7D'",
    "s2: update t set a = null; select 2",
    "check1: select * from t",
  ]);
  expect(text).toMatch(/^# sum \(invariant\): It is 1\.\n/);
  expect(text).toContain("# waits for client0, then UPDATE 1\n");
});

test("the spec of a system that observes nothing has no check session", () => {
  const { sessions } = parseSpec(exportedSpec({ ...REPRODUCTION, check: [] }), "it");
  expect(sessions.map(({ name }) => name)).toEqual(["client0", "client1"]);
});

test("psql scripts wait for return before each statement, and the README has the order", () => {
  const files = psqlScripts(REPRODUCTION);
  expect([...files.keys()]).toEqual([
    "README.md",
    "setup.sql",
    "client0.sql",
    "client1.sql",
    "check.sql",
  ]);
  expect(files.get("setup.sql")).toBe(
    "\\set ON_ERROR_STOP on\ncreate table t (a int[])\\; insert into t values ('{}');\n",
  );
  expect(files.get("client0.sql")).toBe(`\\set ECHO queries
set default_transaction_isolation = 'serializable';
set deadlock_timeout = '10ms';

-- ERROR 40P01: deadlock | detected
\\prompt 'step 2: press return ' _
update t set a = null\\; select 2;
`);
  expect(
    files.get("README.md"),
  ).toContain(`| 1 | client1 | update t set a = $1 | waits for client0, then UPDATE 1 |
| 2 | client0 | update t set a = null; select 2 | ERROR 40P01: deadlock \\| detected |
`);
});
