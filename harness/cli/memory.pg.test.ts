import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testPostgres } from "../postgres/server.fixture.ts";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
});

afterAll(() => place?.remove());

const heddle = (...args: string[]) => place.heddle(...args, "--postgres", testPostgres);

/** What a client has seen once, it does not read again: the second execution adds to the first. */
const MEMORY = "export const seen = new Map();";
const SCENARIO = `
  import pg from "${import.meta.resolve("pg")}";
  import { seen } from "./memory.mjs";
  const work = async ({ url }) => {
    const db = new pg.Client(url);
    await db.connect();
    try {
      if (!seen.has("k")) seen.set("k", (await db.query("select value from counter")).rows[0].value);
      await db.query("update counter set value = $1", [seen.get("k") + 1]);
      seen.set("k", seen.get("k") + 1);
    } finally {
      await db.end();
    }
  };
  export default {
    setup: "create table counter (value int); insert into counter values (0)",
    clients: { a: work, b: work },
    invariants: { two: "select * from counter where value > 2" },
  };`;

test("what a module of the clients remembers becomes part of the counterexample, which replays", async () => {
  await writeFile(place.path("memory.mjs"), MEMORY);
  await writeFile(place.path("race.mjs"), SCENARIO);
  const found = await heddle("run", "race.mjs", "--seed", "1");
  expect(found).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/only after another\s+execution/),
  });
  const file = String(/npx heddle replay (\S+)/.exec(found.stdout)?.[1]);
  const replayed = await heddle("replay", file, "--repeat", "3");
  expect(replayed).toMatchObject({ code: 1, stdout: expect.stringContaining("3 of 3: the same") });
  // The kept regression is executed after the same execution.
  const regressions = await heddle("regressions", "race.mjs", "--replay");
  expect(regressions).toMatchObject({ code: 1, stdout: expect.stringContaining(": fails") });
  const exported = await heddle("replay", file, "--export", place.path("exported"));
  expect(exported.stderr).toContain("not exported");
  // Where nothing is remembered, the rule holds.
  const fresh = await heddle("run", "race.mjs", "--seed", "1", "--fresh", "--runs", "20");
  expect(fresh).toMatchObject({ code: 0, stdout: expect.not.stringContaining("outlives") });
});

/** The first execution after a start has one statement more than all others. */
const COLD = `
  import pg from "${import.meta.resolve("pg")}";
  import { seen } from "./memory.mjs";
  const add = async ({ url }) => {
    const db = new pg.Client(url);
    await db.connect();
    try {
      if (!seen.has("version")) seen.set("version", await db.query("select version from settings"));
      const { rows } = await db.query("select value from counter");
      await db.query("update counter set value = $1", [rows[0].value + 1]);
    } finally {
      await db.end();
    }
  };
  export default {
    setup: "create table counter (value int); insert into counter values (0); create table settings (version int)",
    clients: { a: add, b: add },
    invariants: { both: "select * from counter where value < 2" },
  };`;

test(
  "a counterexample that begins on a fresh start is replayed on one each time",
  { tags: ["nightly"] },
  async () => {
    await writeFile(place.path("memory.mjs"), MEMORY);
    await writeFile(place.path("cold.mjs"), COLD);
    const found = await heddle("run", "cold.mjs", "--seed", "1");
    expect(found).toMatchObject({ code: 1, stdout: expect.stringMatching(/does\s+not\s+repeat/) });
    const file = String(/npx heddle replay (\S+)/.exec(found.stdout)?.[1]);
    const { control } = JSON.parse(await readFile(place.path(file), "utf8")) as { control: object };
    expect(control).toHaveProperty("fresh", true);
    const replayed = await heddle("replay", file, "--repeat", "3");
    expect(replayed).toMatchObject({
      code: 1,
      stdout: expect.stringContaining("3 of 3: the same"),
    });
    const regressions = await heddle("regressions", "cold.mjs", "--replay");
    expect(regressions).toMatchObject({ code: 1, stdout: expect.stringContaining(": fails") });
  },
);
