import { existsSync } from "node:fs";
import { mkdir, writeFile } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { printed, TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
});

afterAll(() => place.remove());

afterEach(async () => {
  expect(await place.leftovers()).toEqual([]);
});

/** The source of a service that is complete but for one part. */
function serviceWith(part: string): string {
  return `export default {
    name: "broken", patterns: [], invariants: [], codes: {}, seededBugs: [], sources: [],
    migrate: async () => {},
    scenarios: () => fc.constant({ initial: null, clients: [[{ name: "a" }], [{ name: "b" }]] }),
    start: async () => ({
      reset: async () => {},
      perform: async () => ({ outcome: "ok", code: "OK", body: null }),
      observe: async () => ({}),
      stop: async () => {},
    }),
    ${part}
  };`;
}

const FAST_CHECK = `import fc from ${JSON.stringify(import.meta.resolve("fast-check"))};\n`;

describe("bad input is a clear error", () => {
  test.each([
    ["an unknown option", ["verify", "--sead", "1"], "unknown option '--sead'"],
    ["no number", ["verify", "--runs", "many"], "whole number"],
    ["an unknown strategy", ["verify", "--strategy", "best"], "serial, exhaustive, pct, random"],
    ["an unknown mutant", ["verify", "--mutant", "gone"], "check-then-insert"],
    ["an unknown service", ["verify", "nothing"], 'no service "nothing"'],
    ["an unknown Postgres", ["verify", "--postgres", "oracle"], "embedded"],
    [
      "an unreachable URL",
      ["verify", "--postgres", "postgres://nobody@127.0.0.1:1/none"],
      "127.0.0.1:1",
    ],
    [
      "a report folder that cannot be created",
      ["verify", "--report", "/dev/null/reports"],
      "--report",
    ],
    [
      "a report folder where none can be created",
      ["verify", "--report", "/proc/reports"],
      "--report",
    ],
    ["too many workers", ["verify", "--workers", "1000000"], "a whole number from 1 to 64"],
    [
      "too many requests at once",
      ["attack", "sc1", "--concurrency", "1000000"],
      "a whole number from 1 to 1000",
    ],
    ["a replay file that is missing", ["replay", "nowhere.json"], "nowhere.json"],
    ["a damaged token", ["replay", "h2.AAAAAAAA"], "damaged"],
  ])("%s", async (_, args, says) => {
    const { code, stderr } = await place.heddle(...args);
    expect(stderr).toContain(says);
    expect(stderr).not.toContain("    at ");
    expect(code).toBe(2);
  });

  test("a misspelt member of a service", async () => {
    const file = place.path("misspelt.mjs");
    await writeFile(file, FAST_CHECK + serviceWith("invariant: [],"));
    const { code, stderr } = await place.heddle("verify", file);
    expect(stderr).toContain("`invariant` is unknown (did you mean `invariants`?); known: `name`");
    expect(code).toBe(2);
  });

  test("mutants of a service without seeded bugs", async () => {
    const file = place.path("sound.mjs");
    await writeFile(file, FAST_CHECK + serviceWith(""));
    const { code, stderr } = await place.heddle("mutants", file);
    expect(stderr).toContain("has no seeded bugs to plant");
    expect(code).toBe(2);
  });

  test("--clients for a scenario, which names its clients", async () => {
    const file = place.path("named.mjs");
    await writeFile(file, "export default { setup: '', clients: { ada() {}, bob() {} } };");
    const { code, stderr } = await place.heddle("verify", file, "--clients", "3");
    expect(stderr).toContain("leave out --clients");
    expect(code).toBe(2);
  });

  test("--freeze with a text that is no time", async () => {
    const { code, stderr } = await place.heddle("run", "--freeze", "race.mjs");
    expect(stderr).toContain("behind the name of the file");
    expect(code).toBe(2);
  });

  test("a replay of a stored regression", async () => {
    await writeFile(place.path("kept.json"), '{"heddle": "regression", "version": 2}');
    const { code, stderr } = await place.heddle("replay", "kept.json");
    expect(stderr).toContain("heddle regressions FILE --replay");
    expect(code).toBe(2);
  });

  test("files of init that are there already, in the folder that it is given", async () => {
    expect(await place.heddle("init", "first")).toMatchObject({ code: 0 });
    expect(existsSync(place.path("first/race.mjs"))).toBe(true);
    const again = await place.heddle("init", "first");
    expect(again.stderr).toContain("first/race.mjs already");
    expect(again.code).toBe(2);
  });

  test.each([
    ["verify", "--report"],
    ["run", "race.mjs", "--report"],
    ["mutants", "--report"],
    ["mutants", "--derived", "--report"],
    ["layers", "--report"],
    ["attack", "sc1", "--report"],
    ["report", "--merge", "a", "--report"],
    ["replay", "race.json", "--export"],
    ["init"],
  ])("a place that cannot be written to is said before the work: %s %s", async (...args) => {
    await writeFile(place.path("taken"), "");
    await writeFile(place.path("race.mjs"), "throw new Error('it was loaded')");
    for (const folder of ["taken", "taken/below", "/proc/reports"]) {
      const { code, stderr } = await place.heddle(...args, folder);
      expect(stderr).toMatch(/^heddle: .*cannot be written to .*: give another folder/);
      expect(code).toBe(2);
    }
  });

  test("a folder where a file belongs", async () => {
    await mkdir(place.path("out/report.json"), { recursive: true });
    const says = async (...args: string[]) => {
      const { code, stderr } = await place.heddle(...args);
      expect(stderr).not.toContain("    at ");
      expect(code).toBe(2);
      return stderr;
    };
    expect(await says("verify", "--report", "out")).toContain("is a folder, and belongs to a file");
    const url = "postgres://nobody@127.0.0.1:1/none";
    for (const option of ["--junit", "--prometheus"]) {
      expect(await says("audit", "--database-url", url, option, "out")).toContain(
        `out is a folder: give another file with ${option}`,
      );
    }
    for (const command of ["run", "spec", "replay", "verify", "verify-evidence"]) {
      expect(await says(command, "out")).toMatch(/out/);
    }
  });

  test("a corrupt replay file, and one of another version", async () => {
    await writeFile(place.path("cut.json"), '{"heddle": "counterexample", "version": 1, "mod');
    const cut = await place.heddle("replay", "cut.json");
    expect(cut.stderr).toContain("not JSON");
    expect(cut.code).toBe(2);
    await writeFile(place.path("new.json"), '{"heddle": "counterexample", "version": 99}');
    const later = await place.heddle("replay", "new.json");
    expect(later.stderr).toContain("version 99");
    expect(later.code).toBe(3);
  });

  test.each([
    ["migrate", `migrate: async () => { throw new Error("no such table") },`, "no such table", 2],
    ["start", `start: async () => { throw new Error("no such port") },`, "no such port", 2],
    ["scenarios", `scenarios: () => { throw new Error("no idea") },`, "no idea", 2],
    [
      "perform",
      `start: async () => ({ reset: async () => {}, observe: async () => ({}), stop: async () => {},
         perform: async () => { throw new Error("no hands") } }),`,
      "no hands",
      4,
    ],
    [
      "invariants",
      `invariants: [{ name: "i", description: "", check: () => { throw new Error("no clue") } }],`,
      "no clue",
      4,
    ],
  ])("a service whose %s throws", async (part, source, says, exitCode) => {
    const file = place.path(`${part}.mjs`);
    await writeFile(file, FAST_CHECK + serviceWith(source));
    const { code, stdout, stderr } = await place.heddle("verify", file, "--runs", "5");
    expect(stdout + stderr).toContain(says);
    expect(code).toBe(exitCode);
  });

  test.each([
    ["syntax.mjs", "const a = 1;\nexport default {\n  b: ,\n}", "syntax.mjs:3)"],
    ["syntax.ts", "const a: number = 1;\nexport default {\n  b: ,\n}", "syntax.ts:3)"],
    ["thrown.mjs", "\n\nthrow new Error('no such thing')", "thrown.mjs:3)"],
    ["thrown.ts", "const url: string = ' ';\nnew URL(url);", "thrown.ts:2)"],
    ["imports.mjs", "import './thrown.mjs'", "thrown.mjs:3)"],
  ])("a scenario that cannot be loaded, %s, with file and line", async (name, text, says) => {
    await writeFile(place.path(name), text);
    const { code, stderr } = await place.heddle("run", name);
    expect(stderr).toContain(says);
    expect(stderr.split("\n")).toHaveLength(2);
    expect(code).toBe(2);
  });

  test("a default export that is no service", async () => {
    const file = place.path("none.mjs");
    await writeFile(file, "export default { name: 'half' };");
    const { code, stderr } = await place.heddle("verify", file);
    expect(stderr).toContain("migrate");
    expect(code).toBe(2);
  });
});

describe("interference", () => {
  let server: Server;

  beforeAll(async () => {
    server = await startServer("embedded");
  });

  afterAll(() => server.stop());

  test("sessions terminated from outside make the verdict unknown, and no database is left", async () => {
    const mine = await server.lease();
    const client = new Client({ connectionString: mine.url });
    await client.connect();
    const { child, ended } = place.start("verify", "--runs", "100000", "--postgres", mine.url);
    await printed(child, "runs/s");
    await client.query(
      "select pg_terminate_backend(pid) from pg_stat_activity where datname ~ '^heddle_' and datname <> current_database()",
    );
    const { code, stdout, stderr } = await ended;
    expect(stdout, stderr).toContain("UNKNOWN");
    expect(code).toBe(4);
    const { rows } = await client.query(
      "select datname from pg_database where datname ~ '^heddle_' and datname <> current_database()",
    );
    expect(rows).toEqual([]);
    await client.end();
  });
});
