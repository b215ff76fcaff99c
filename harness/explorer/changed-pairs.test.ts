import { expect, test } from "vitest";
import { type Footprint, NOTHING } from "../core/footprint.ts";
import {
  type Change,
  type ChangedFile,
  type OperationTrace,
  touchedOperations,
} from "./changed-pairs.ts";

const step = (...writes: string[]): Footprint => ({
  ...{ step: { ...NOTHING, writes: new Set(writes) }, held: NOTHING },
  ...{ keeps: true, ends: true, snapshot: false, tracked: false, clock: false },
});

const operations = new Map<string, OperationTrace>([
  [
    "order",
    {
      statements: ["begin", "insert into orders (item) values ($1)"],
      steps: [step("public.orders")],
    },
  ],
  ["claim", { statements: ["select claim_slot($1)"], steps: [step("public.slots")] }],
  ["look", { statements: ["select * from items"], steps: [step("public.items")] }],
]);

const unchanged = [
  "db.query('insert into orders (item)\n   values ($1)')",
  "select claim_slot($1)",
  "SELECT * FROM items",
];

const touched = (files: readonly ChangedFile[], change: Partial<Change> = {}) => [
  ...touchedOperations(operations, {
    since: "main",
    files,
    unchanged,
    definition: "a.heddle.ts",
    ...change,
  }),
];

const added = (path: string, after: string) => [{ path, before: "", after }];

test.each([
  ["documents, tests and stored regressions", added("docs/a.md", "items"), []],
  ["a test", added("src/a.test.ts", "select * from items"), []],
  ["a migration of a table", added("m/2.sql", "alter table Orders add note text;"), ["order"]],
  [
    "a migration of a function",
    added("m/2.sql", "create function claim_slot() as $$ a; b $$;"),
    ["claim"],
  ],
  ["a source file with statements", added("src/a.ts", "q(`select *\n from items`)"), ["look"]],
])("%s: %j concerns %j", (_, files, names) => {
  expect(touched(files)).toEqual(names);
});

test("of an SQL file, only the statements that differ count", () => {
  const table = "create table orders (id int);";
  const body = (text: string) => `create function f() as $$ update items; ${text} $$;`;
  const file = { path: "schema.sql", before: table + body("a"), after: table + body("b") };
  expect(touched([file])).toEqual(["look"]);
});

test.each([
  ["the definition", added("a.heddle.ts", "select * from items")],
  ["a file of another kind", added("package-lock.json", "")],
  ["a source file without statements", added("src/pool.ts", "export const pool = 1")],
  ["SQL that names no known table", added("m/2.sql", "create function helper() as $$ return 1 $$")],
])("where it cannot be told, as of %s, all operations count", (_, files) => {
  expect(touched(files)).toEqual(["order", "claim", "look"]);
});

test("an operation whose statements stand nowhere counts with every source file", () => {
  const files = added("src/a.ts", "select * from items");
  expect(touched(files, { unchanged: unchanged.slice(1) })).toEqual(["look", "order"]);
});

test("an operation that may touch anything counts with all SQL", () => {
  const unknown = new Map([...operations, ["any", { statements: [], steps: [undefined] }]]);
  const change = { since: "main", unchanged, definition: "a.heddle.ts" };
  const files = added("m/2.sql", "alter table items add a int");
  expect([...touchedOperations(unknown, { ...change, files })]).toEqual(["look", "any"]);
});
