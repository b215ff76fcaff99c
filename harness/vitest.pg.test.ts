import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
let place = "";

beforeEach(async () => {
  place = await mkdtemp(path.join(tmpdir(), "heddle-vitest-"));
  await symlink(path.join(root, "node_modules"), path.join(place, "node_modules"));
  await writeFile(path.join(place, "package.json"), '{ "type": "module" }');
});
afterEach(() => rm(place, { recursive: true }));

/** A test as a user writes it. */
const raceTest = (update: string) => `
  import pg from "pg";
  import { interleaved } from ${JSON.stringify(new URL("./vitest.ts", import.meta.url).href)};

  async function withdraw({ url }) {
    const db = new pg.Client(url);
    await db.connect();
    const { rows } = await db.query("select balance from accounts");
    if (rows[0].balance >= 60) await db.query(${JSON.stringify(update)});
    await db.end();
  }

  interleaved("nobody overdraws", {
    setup: "create table accounts (balance int); insert into accounts values (100)",
    clients: { ada: withdraw, bob: withdraw },
    invariants: { "no debt": "select * from accounts where balance < 0" },
  }, { runs: 100, postgres: "embedded" });
`;

async function run(): Promise<{ code: number | null; output: string }> {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run"], {
    cwd: place,
    env: { ...process.env, NO_COLOR: "1", VITEST: undefined },
  });
  let output = "";
  child.stdout.on("data", (text) => {
    output += text;
  });
  child.stderr.on("data", (text) => {
    output += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}

test("a race fails the test with a counterexample, which is stored; the fix passes", async () => {
  const file = path.join(place, "debt.test.js");
  await writeFile(file, raceTest("update accounts set balance = balance - 60"));
  const red = await run();
  expect(red.output).toContain("no debt");
  expect(red.output).toMatch(/While client \w+ has read but not yet written, client/);
  expect(red.output).toContain('npx vitest run debt.test.js -t "nobody overdraws"');
  expect(red.code).toBe(1);
  expect(await readdir(path.join(place, "regressions"))).toHaveLength(1);

  const again = await run();
  expect(again.output).toContain("1 stored regression violates its rule again: no debt");

  const checked = "update accounts set balance = balance - 60 where balance >= 60";
  await writeFile(file, raceTest(checked));
  const green = await run();
  expect(green.output).toMatch(/Tests +1 passed/);
  expect(green.code).toBe(0);
});
