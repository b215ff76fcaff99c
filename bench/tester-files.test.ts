import { expect, test } from "vitest";
import type { SessionSpec } from "./sessions.ts";
import { differenceOfOutputs, readOutput, specFile } from "./tester-files.ts";

const SPEC: SessionSpec = {
  name: "two claims",
  schema: "",
  setup: "delete from slots",
  sessions: [
    [
      { name: "a1", sql: "begin" },
      { name: "a2", sql: "commit" },
    ],
    [{ name: "b1", sql: "insert into slots values (1)" }],
  ],
  teardown: "select * from slots",
};

test("a spec file has the SQL of the steps, and their names in each permutation", () => {
  expect(specFile(SPEC, [[0, 1, 0]])).toBe(`setup { delete from slots }
teardown { select * from slots }
session s0
step a1 { begin }
step a2 { commit }
session s1
step b1 { insert into slots values (1) }
permutation a1 b1 a2
`);
});

/** Output of isolationtester from PostgreSQL 15. */
const OUTPUT = `Parsed test spec with 2 sessions

starting permutation: a1 b1 a2
step a1: select id, free from slots
id|free
--+----
 1|t   
 2|f   
(2 rows)

step b1: insert into slots values (1) <waiting ...>
step a2: commit
step b1: <... completed>
ERROR:  duplicate key value violates unique constraint "slots_pkey"
id|customer
--+--------
 1|        
(1 row)


starting permutation: b1 a1 a2
step b1: select free from slots where false
free
----
(0 rows)

step a1: begin
step a2: commit
id|customer
--+--------
(0 rows)

`;

test("rows, errors, waits and the final state are read from the output of isolationtester", () => {
  const read = readOutput(OUTPUT);
  expect([...read.keys()]).toEqual(["a1 b1 a2", "b1 a1 a2"]);
  expect(read.get("a1 b1 a2")).toEqual({
    waited: ["b1"],
    answers: [
      {
        step: "a1",
        rows: [
          ["1", "t"],
          ["2", "f"],
        ],
      },
      { step: "a2", rows: [] },
      { step: "b1", error: 'duplicate key value violates unique constraint "slots_pkey"' },
    ],
    final: [["1", ""]],
  });
  expect(read.get("b1 a1 a2")).toEqual({
    waited: [],
    answers: ["a1", "a2", "b1"].map((step) => ({ step, rows: [] })),
    final: [],
  });
});

const answered = (first: string, second: string) => `starting permutation: a b c
step a: select 1 <waiting ...>
${first}
step c: commit
step ${second}: <... completed>
`;

test("equal outputs have no difference, and different ones have a line diff", () => {
  expect(differenceOfOutputs(OUTPUT, OUTPUT)).toBe("");
  expect(differenceOfOutputs(OUTPUT, OUTPUT.replace(" 2|f ", " 2|t "))).toContain(
    "- 2|f   \n+ 2|t ",
  );
  expect(differenceOfOutputs(OUTPUT, `${OUTPUT}starting permutation: more\n`)).toContain("+more");
});

test("the order of answers may differ only between steps that wait at the same time", () => {
  const together = (second: string) => answered("step b: select 1 <waiting ...>", second);
  expect(differenceOfOutputs(together("a"), together("b"))).toBe("");
  const inTurns = (second: string) =>
    answered("step a: <... completed>\nstep b: select 1 <waiting ...>", second);
  expect(differenceOfOutputs(inTurns("b"), inTurns("a"))).toContain("-step b: <... completed>");
});
