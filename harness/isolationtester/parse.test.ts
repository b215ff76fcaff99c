import { expect, test } from "vitest";
import { parseSpec } from "./parse.ts";
import { permutationsOf } from "./spec.ts";

const FULL = `# a comment
setup { create table t (a int); }
setup
{
  insert into t values (1);   }
teardown { drop table t; }

session "the ""first"""
setup { begin; }
step a1 { select '# no comment' }
step A1 { commit;
  }
teardown { rollback; }
session s2 step "step" {}

permutation a1("step", "step" notices 2,*) A1 "step"
permutation "step"(a1)a1 # once more
  A1
`;

test("parses setups, a teardown, sessions with steps, and permutations with markers", () => {
  const spec = parseSpec(FULL, "full.spec");
  expect(spec.setups).toEqual(["create table t (a int);", "\n  insert into t values (1);"]);
  expect(spec.teardown).toBe("drop table t;");
  const [first, second] = spec.sessions;
  expect(first).toEqual({
    name: 'the "first"',
    setup: "begin;",
    teardown: "rollback;",
    steps: [
      { name: "a1", sql: "select '# no comment'", session: 0 },
      { name: "A1", sql: "commit;\n", session: 0 },
    ],
  });
  const [a1, A1] = first?.steps ?? [];
  const [step] = second?.steps ?? [];
  expect(second).toEqual({
    name: "s2",
    setup: undefined,
    teardown: undefined,
    steps: [{ name: "step", sql: "", session: 1 }],
  });
  expect(spec.permutations).toEqual([
    [
      {
        step: a1,
        markers: [{ type: "step", step }, { type: "notices", step, count: 2 }, { type: "once" }],
      },
      { step: A1, markers: [] },
      { step, markers: [] },
    ],
    [
      { step, markers: [{ type: "step", step: a1 }] },
      { step: a1, markers: [] },
      { step: A1, markers: [] },
    ],
  ]);
});

test("a spec without permutations has every interleaving, the first session's steps first", () => {
  const text = "session a step a1 {x} step a2 {x} session b step b1 {x}";
  const names = [...permutationsOf(parseSpec(text, "f"))].map((steps) =>
    steps.map(({ step }) => step.name).join(" "),
  );
  expect(names).toEqual(["a1 a2 b1", "a1 b1 a2", "b1 a1 a2"]);
});

test("listed permutations are run unchanged", () => {
  const spec = parseSpec("session a step a1 {x} permutation a1 a1", "f");
  expect([...permutationsOf(spec)]).toEqual(spec.permutations);
});

test.each([
  ["session a step a1 {x}\n  step a1 {y}", '2:8: another step is named "a1"'],
  ["session a step a1 {x}\npermutation a2", '2:13: no step is named "a2"'],
  ["session a step a1 {x} permutation a1(b)", '1:38: "b" is not a step of this permutation'],
  [
    "session a step a1 {x} step a2 {y} permutation a1(a2) a2",
    '1:50: "a1" cannot wait for a step of its own session',
  ],
  ["session a", '1:10: expected "step", found the end of the file'],
  ["", '1:1: expected "session", found the end of the file'],
  ["session step {x}", '1:9: expected the session\'s name, found "step"'],
  ["session a step b c", '1:18: expected SQL in braces, found "c"'],
  [
    "session a step b {x} {y}",
    '1:22: expected "session" or "permutation" or the end of the file, found SQL',
  ],
  ["session a step a1 {x} permutation a1() ", '1:38: expected "*" or a step\'s name, found ")"'],
  ["session a step a1 {x} permutation a1(* ", '1:40: expected ")", found the end of the file'],
  ["session a step a1 { x", "1:19: this SQL block has no closing }"],
  ['session "a\n"', "1:9: this quoted name has no closing quote on its line"],
  ["session a; step", '1:10: unexpected character ";"'],
])("%j is refused, with the position of the error", (text, message) => {
  expect(() => parseSpec(text, "bad.spec")).toThrow(`bad.spec:${message}`);
});
