import { spawn } from "node:child_process";
import { mkdtemp, readdir, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import path from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
let place = "";

beforeEach(async () => {
  place = await mkdtemp(path.join(tmpdir(), "heddle-runner-"));
  await symlink(path.join(root, "node_modules"), path.join(place, "node_modules"));
  await writeFile(path.join(place, "package.json"), '{ "type": "module" }');
});
afterEach(() => rm(place, { recursive: true }));

/** A suite as a user writes it: deposits on the same account race, and those on different ones do not. */
const suite = (entry: string) => `
  import { describeService } from ${JSON.stringify(new URL(`./${entry}.ts`, import.meta.url).href)};
  import { defineService, rowOf, sql } from ${JSON.stringify(new URL("./index.ts", import.meta.url).href)};

  const bank = defineService({
    name: "bank",
    setup: "schema.sql",
    operations: {
      deposit: sql("select pay_in($1, 5)", [rowOf("accounts.id")]),
      audit: sql("select 1 / 0"),
    },
  });
  await describeService(bank, { postgres: "embedded" });
`;

const SCHEMA = `
  create table accounts (id int generated always as identity primary key, balance int not null);
  insert into accounts (balance) values (10), (20);
  create function pay_in(which int, amount int) returns int language plpgsql as $$
  declare before int;
  begin
    before := (select balance from accounts where id = which);
    update accounts set balance = before + amount where id = which;
    return before + amount;
  end $$;`;

async function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  const child = spawn(process.execPath, args, {
    cwd: place,
    env: { ...process.env, NO_COLOR: "1", VITEST: undefined, NODE_TEST_CONTEXT: undefined },
  });
  let output = "";
  const listen = (text: Buffer) => {
    output += String(text);
  };
  child.stdout.on("data", listen);
  child.stderr.on("data", listen);
  const code = await new Promise<number | null>((resolve) => child.once("close", resolve));
  return { code, output };
}

const vitest = path.join(root, "node_modules/vitest/vitest.mjs");

test.each([
  ["vitest", [vitest, "run", "--reporter=verbose"], "npx vitest run bank.test.js -t"],
  ["node-test", ["--test", "--test-reporter=spec"], "node --test --test-name-pattern="],
])("a service is a suite of %s with a test for each pair", async (entry, args, command) => {
  await writeFile(path.join(place, "schema.sql"), SCHEMA);
  await writeFile(path.join(place, "bank.test.js"), suite(entry));
  const { output, code } = await run([...args, "bank.test.js"]);
  expect(output).toMatch(/[✖×] .*deposit × deposit, same accounts\.id/);
  expect(output).toMatch(/[✔✓] .*deposit × deposit, different accounts\.id/);
  expect(output).toContain("bank: 2 pairs of operations; no pair has audit, which never succeeded");
  expect(output).toMatch(/[✖×] .*audit succeeds once/);
  expect(output).toContain("since it never succeeded: npx heddle doctor");
  expect(output).toContain(command);
  expect(code).toBe(1);
  // The pair that races, beside the test file.
  expect(await readdir(path.join(place, "regressions"))).toHaveLength(1);
});

/** Executes a file's test as Jest does, which ends it for itself alone when its time is up. */
const JEST = `
  import { setTimeout as delay } from "node:timers/promises";
  const tests = [];
  const ends = [];
  Object.assign(globalThis, {
    describe: (_, define) => define(),
    test: (_, work, timeoutMs) => tests.push({ work, timeoutMs }),
    afterAll: (end) => ends.push(end),
    expect: { getState: () => ({ testPath: new URL("counter.test.js", import.meta.url).pathname }) },
  });
  await import("./counter.test.js");
  for (const { work, timeoutMs } of tests) {
    const ended = work().then(() => "passes", ({ message }) => message);
    console.log(await Promise.race([ended, delay(timeoutMs + 15_000, "goes on", { ref: false })]));
  }
  for (const end of ends) await end();
`;

test.each([
  ["", ""],
  [", also with a signal of its own", "signal: new AbortController().signal,"],
])("a campaign ends at Jest's time limit%s", async (_, options) => {
  await writeFile(path.join(place, "jest.js"), JEST);
  const text = `
    import pg from "pg";
    import { interleaved } from ${JSON.stringify(new URL("./jest.ts", import.meta.url).href)};

    async function count({ url }) {
      const db = new pg.Client(url);
      await db.connect();
      for (let at = 0; at < 4; at++) await db.query("update counter set value = value + 1");
      await db.end();
    }

    interleaved("more interleavings than there is time for", {
      setup: "create table counter (value int); insert into counter values (0)",
      clients: { ada: count, bob: count, eve: count },
    }, { runs: 1e9, postgres: "embedded", timeout: 4_000, ${options} });
  `;
  await writeFile(path.join(place, "counter.test.js"), text);
  const { output, code } = await run(["jest.js"]);
  expect(output).toContain("interrupted");
  expect(output).not.toContain("goes on");
  expect(code).toBe(0);
});

test("a service without pairs fails the file, and says why", async () => {
  await writeFile(path.join(place, "schema.sql"), SCHEMA);
  const text = suite("node-test").replace(
    "select pay_in($1, 5)",
    "select 1 / 0 from accounts where id = $1",
  );
  await writeFile(path.join(place, "bank.test.js"), text);
  const { output, code } = await run(["--test", "bank.test.js"]);
  expect(output).toContain(
    "bank has no pair of operations to test: 0 pairs of operations; no pair has deposit, audit, which never succeeded",
  );
  expect(code).toBe(1);
});
