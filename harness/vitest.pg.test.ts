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

/** A test as a team would write it. */
const teamsTest = (update: string) => `
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

async function run(): Promise<{ code: number | null; said: string }> {
  const vitest = path.join(root, "node_modules/vitest/vitest.mjs");
  const child = spawn(process.execPath, [vitest, "run"], {
    cwd: place,
    env: { ...process.env, NO_COLOR: "1", VITEST: undefined },
  });
  let said = "";
  child.stdout.on("data", (text) => {
    said += text;
  });
  child.stderr.on("data", (text) => {
    said += text;
  });
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, said };
}

test("a race is a red test with what happened, is kept, and is green once it is fixed", async () => {
  const file = path.join(place, "debt.test.js");
  await writeFile(file, teamsTest("update accounts set balance = balance - 60"));
  const red = await run();
  expect(red.said).toContain("no debt");
  expect(red.said).toMatch(/While client \d has read and not yet written, client/);
  expect(red.said).toContain('npx vitest run debt.test.js -t "nobody overdraws"');
  expect(red.code).toBe(1);
  expect(await readdir(path.join(place, "regressions"))).toHaveLength(1);

  const again = await run();
  expect(again.said).toContain("Violation in 1 of 1 execution");

  const checked = "update accounts set balance = balance - 60 where balance >= 60";
  await writeFile(file, teamsTest(checked));
  const green = await run();
  expect(green.said).toMatch(/Tests +1 passed/);
  expect(green.code).toBe(0);
});
