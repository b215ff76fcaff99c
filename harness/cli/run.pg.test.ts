import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { testPostgres } from "../postgres/server.fixture.ts";
import { printed, TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
});

afterAll(() => place?.remove());

const heddle = (...args: string[]) => place.heddle(...args, "--postgres", testPostgres);

/** Replaces texts in race.mjs: this place has no packages, so imports become paths. */
async function change(...changes: readonly (readonly [string, string])[]): Promise<void> {
  const text = await readFile(place.path("race.mjs"), "utf8");
  await writeFile(
    place.path("race.mjs"),
    changes.reduce((all, [from, to]) => {
      expect(all).toContain(from);
      return all.replace(from, to);
    }, text),
  );
}

test("from init to the first race, its replay and its fix", async () => {
  expect(await place.heddle("init")).toMatchObject({ code: 0 });
  const again = await place.heddle("init");
  expect(again).toMatchObject({ code: 2, stderr: expect.stringContaining("race.mjs already") });
  await change(
    ['from "heddle"', `from "${new URL("../index.ts", import.meta.url)}"`],
    ['from "pg"', `from "${import.meta.resolve("pg")}"`],
  );

  const caught = await heddle("run", "race.mjs", "--seed", "1");
  expect(caught).toMatchObject({
    code: 1,
    stdout: expect.stringMatching(/client (ada|bob) {2}preempts/),
  });
  const file = /npx heddle replay (\S+)/.exec(caught.stdout)?.[1];
  const replayed = await heddle("replay", String(file), "--repeat", "3");
  expect(replayed).toMatchObject({
    code: 1,
    stdout: expect.stringContaining(
      "3 of 3: the same steps and the same violation; violated: every increment counts",
    ),
  });

  await change(
    ["set value = $1 where id = 1", "set value = value + 1 where id = 1"],
    [", [rows[0].value + 1]", ""],
  );
  const fixed = await heddle("run", "race.mjs", "--seed", "1");
  expect(fixed).toMatchObject({ code: 0 });
  expect(fixed.stdout).toContain("All interleavings, without a bound, of 1 scenario were covered");
});

test("a client that bypasses the gate is no pass, and doctor names it with the reason", async () => {
  await writeFile(
    place.path("odd.mjs"),
    `import pg from "${import.meta.resolve("pg")}";
     const clients = {
       async ada({ url }) { const db = new pg.Client(url); await db.connect();
         await db.query("select 1"); await db.end(); },
       async bob() {},
     };
     export default { setup: "select 1", clients };`,
  );
  const searched = await heddle("run", "odd.mjs");
  expect(searched.code).toBe(4);
  expect(searched.stdout).toMatch(
    /^UNKNOWN(.|\n)*client\s+bob\s+sent\s+no\s+statement(.|\n)*DATABASE_URL/,
  );
  const { code, stdout } = await heddle("doctor", "odd.mjs");
  expect(code).toBe(2);
  expect(stdout).toMatch(/ok {2}client ada: 1 statement, ended with OK/);
  expect(stdout).toMatch(
    /NO {2}client bob: ended with OK, and sent no statement .*\n.*DATABASE_URL/,
  );
});

test("a run that is interrupted in its setup ends with a report", async () => {
  await writeFile(
    place.path("waits.mjs"),
    `export default {
      setup: () => { console.log("set up"); return new Promise((resolve) => setTimeout(resolve, 1e8)); },
      clients: { ada: () => {}, bob: () => {} },
    };`,
  );
  const { child, ended } = place.start("run", "waits.mjs", "--postgres", testPostgres);
  await printed(child, "set up");
  child.kill("SIGINT");
  const { code, stdout } = await ended;
  expect(code).toBe(130);
  expect(stdout).toMatch(/^UNKNOWN {2}waits\.mjs\n.*interrupted/);
  const report = JSON.parse(await readFile(place.path("reports/report.json"), "utf8"));
  expect(report).toMatchObject({ verdict: "unknown", executions: 0 });
});
