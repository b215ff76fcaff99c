import { readFile } from "node:fs/promises";
import { expect, test } from "vitest";
import { GATE_NAMES } from "../../harness/core/control.ts";
import { knownBugOf, readKnownBugs } from "./known-bug.ts";
import { coveredBy, differences, placesOf, type Search } from "./measure.ts";
import { readMeasurements } from "./results.ts";
import { withStack, withTable } from "./table.ts";

const BUG = knownBugOf("kysely-migrations", {
  title: "Two migrators apply the same migration.",
  report: "https://github.com/kysely-org/kysely/issues/1894",
  package: "kysely",
  with: { pg: "8.23.1" },
  before: "0.29.2",
  after: { version: "0.29.3", verdict: "pass" },
  finds: { gates: ["statement"], executions: 10, preemptions: 1 },
});

const FAILS: Search = {
  verdict: "fail",
  covered: null,
  executions: 3,
  seconds: 1,
  found: { rule: "once", execution: 3, preemptions: 1, places: ["a statement"] },
  file: "a.json",
};
const PASSES: Search = {
  ...{ verdict: "pass", covered: "all without a bound", executions: 57, seconds: 2 },
  ...{ found: null, file: null },
};

test("a measurement as expected differs in nothing", () => {
  const measured = { before: FAILS, replays: 20, after: PASSES };
  expect(differences(BUG, measured, FAILS)).toEqual([]);
});

test.each([
  ["the bug was not found", { before: PASSES }, FAILS],
  ["with statement gates the bug was not found", {}, PASSES],
  ["it took 11 executions, more than 10", { before: found({ execution: 11 }) }, FAILS],
  [
    "the smallest counterexample has 2 preemptions, not 1",
    { before: found({ preemptions: 2 }) },
    FAILS,
  ],
  ["19 of 20 replays were identical", { replays: 19 }, FAILS],
  ["the verdict after the fix was fail, not pass", { after: FAILS }, FAILS],
])("%s", (sentence, changed, fewest) => {
  const measured = { before: FAILS, replays: 20, after: PASSES, ...changed };
  expect(differences(BUG, measured, fewest)).toContain(sentence);
});

function found(changed: Partial<NonNullable<Search["found"]>>): Search {
  return { ...FAILS, found: { ...FAILS.found, ...changed } as Search["found"] };
}

test.each([
  [
    ["All 34 interleavings with at most 1 preemption of 1 scenario were executed."],
    "all with at most 1 preemption",
  ],
  [
    ["All 1,034 interleavings, without a bound, of 1 scenario were executed."],
    "all without a bound",
  ],
  [["All interleavings, without a bound, of 1 scenario were covered: 12 …"], "all without a bound"],
  [["All 2 orders of whole operations of 1 scenario were executed."], null],
])("what a search covered: %s", (coverage, covered) => {
  expect(coveredBy(coverage)).toBe(covered);
});

test("a client is preempted at a statement or at a gate inside one", () => {
  const move = { type: "move", preemption: true };
  const gate = { type: "gate", place: { next: "write a row" } };
  expect(placesOf([{ type: "result" }, move, gate, move, gate, move])).toEqual([
    "a statement",
    "write a row",
  ]);
  expect(placesOf([gate, { type: "move", preemption: false }])).toEqual([]);
});

test.each([
  ["report", { report: "kysely#1894" }],
  ["after.verdict", { after: { version: "1.0.0" } }],
  ["finds.gates", { finds: { ...BUG.finds, gates: ["sentence"] } }],
  ["finds.executions", { finds: { ...BUG.finds, executions: "few" } }],
])("an expectation without a valid %s is refused", (member, changed) => {
  const value = { ...BUG, ...changed } as typeof BUG;
  expect(() => knownBugOf("a", value)).toThrow(member);
});

test("a name that is no known bug is refused", async () => {
  await expect(readKnownBugs(["nothing"])).rejects.toThrow("nothing is no known bug");
});

test("the page has the latest measurement of each bug", async () => {
  const page = await readFile(new URL("../../docs/known-bugs.md", import.meta.url), "utf8");
  expect(withTable(page, await readKnownBugs([]), await readMeasurements())).toBe(page);
});

test("a row says all where no fewer kinds of gates are known to suffice", async () => {
  const page = "<!-- npm run known -- --write -->\n<!-- end of the table -->";
  const [measured] = await readMeasurements();
  if (measured === undefined) throw new Error("nothing is measured");
  const table = withTable(page, await readKnownBugs([]), [{ ...measured, gates: GATE_NAMES }]);
  expect(table).toContain("| yes | all | ");
});

test("every measured bug is as expected", async () => {
  for (const { name, unexpected } of await readMeasurements())
    expect({ name, unexpected }).toEqual({ name, unexpected: [] });
});

test("a row of the table of stacks takes the place of that stack's last one", () => {
  const page =
    "a\n<!-- npm run known -- --stacks --write -->\n<!-- end of the table of stacks -->\nb";
  const rows = [
    "| pg | 8 | yes | 1 | 20 |",
    "| knex | 3 | no |  |  |",
    "| knex | 3 | yes | 1 | 20 |",
  ];
  const table = rows.reduce(withStack, page);
  expect(table.match(/^\| (pg|knex) .*$/gm)).toEqual([rows[2], rows[0]]);
  expect(table).toMatch(/^a\n.*\nb$/s);
});
