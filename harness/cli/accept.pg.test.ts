import { readdir, readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testPostgres } from "../postgres/server.fixture.ts";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
});

afterAll(() => place?.remove());

const race = (update: string) => `import pg from "${import.meta.resolve("pg")}";
  async function client({ url }) {
    const db = new pg.Client(url);
    await db.connect();
    const { rows } = await db.query("select value from counter");
    await db.query("${update}", [rows[0].value + 1]);
    await db.end();
  }
  export default {
    setup: "create table counter (value int); insert into counter values (0)",
    clients: { ada: client, bob: client },
    invariants: { "nothing is lost": "select * from counter where value <> 2" },
  };`;

const oneLine = (text: string) => text.replaceAll(/\s+/g, " ");

async function run() {
  const { code, stdout } = await place.heddle(
    "run",
    "race.mjs",
    "--gates",
    "statement",
    "--postgres",
    testPostgres,
  );
  return { code, text: oneLine(stdout) };
}

test("a known violation fails no run until a date, and the report says so", async () => {
  await writeFile(place.path("race.mjs"), race("update counter set value = $1"));
  expect(await run()).toMatchObject({ code: 1 });
  const [name] = await readdir(place.path("regressions"));
  const file = `regressions/${name}`;

  const because = ["--because", "to be fixed with the new ledger"];
  const accepted = await place.heddle("accept", file, "--until", "2999-12-31", ...because);
  expect(accepted).toMatchObject({ code: 0, stdout: expect.stringContaining("until 2999-12-31") });
  const passed = await run();
  expect(passed).toMatchObject({ code: 0, text: expect.stringContaining("PASS") });
  expect(passed.text).toMatch(
    /Accepted: .*nothing is lost.* occurs, and fails no run until 2999-12-31: to be fixed with the new ledger\./,
  );
  expect(await readdir(place.path("regressions"))).toEqual([name]);

  const text = await readFile(place.path(file), "utf8");
  await writeFile(place.path(file), text.replace("2999-12-31", "2020-12-31"));
  const late = await run();
  expect(late).toMatchObject({ code: 1, text: expect.stringContaining("No longer accepted: ") });

  await writeFile(
    place.path("race.mjs"),
    race("update counter set value = value + sign($1::int)::int"),
  );
  const gone = await run();
  expect(gone).toMatchObject({ code: 0, text: expect.stringContaining("Accepted and gone: ") });
});

test.each([
  [["a.json", "--until", "2999-12-31", "--because", "x"], "a.json cannot be read"],
  [["a.json", "--until", "2020-12-31", "--because", "x"], "Give a day that is not over"],
  [["a.json", "--until", "2999-12-31"], "--because"],
])("accept %j is rejected with the reason", async (args, reason) => {
  expect(await place.heddle("accept", ...args)).toMatchObject({
    code: 2,
    stderr: expect.stringContaining(reason),
  });
});
