import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { testPostgres } from "../postgres/server.fixture.ts";
import { TestFolder } from "./heddle.fixture.ts";

const BOOKING = JSON.stringify(new URL("../../models/booking/index.ts", import.meta.url));

let place: TestFolder;

beforeAll(async () => {
  place = await TestFolder.make();
});

afterAll(() => place?.remove());

async function heddle(command: string, file: string, text: string, ...args: string[]) {
  await writeFile(place.path(file), text);
  return place.heddle(command, file, "--postgres", testPostgres, ...args);
}

function scenario(client: string): string {
  return `import pg from "${import.meta.resolve("pg")}";
    async function look({ url }) {
      const db = new pg.Client(url);
      await db.connect();
      await db.query("select 1");
      await db.end();
    }
    export default { setup: "select 1", clients: { ada: look, ${client} } };`;
}

describe("a command ends with its own exit code", () => {
  test("when a scenario leaves a timer, after all output is written", async () => {
    const text = `setInterval(() => {}, 1000); ${scenario("bob: look")}`;
    const { code, stdout } = await heddle("run", "timer.mjs", text, "--json");
    expect(JSON.parse(stdout)).toMatchObject({ verdict: "pass" });
    expect(code).toBe(0);
  });

  test("when a timer is left in each process that explores", async () => {
    const text = `setInterval(() => {}, 1000); export { default } from ${BOOKING};`;
    const { code } = await heddle("verify", "timers.mjs", text, "--time", "4s", "--workers", "2");
    expect(code).toBe(0);
    expect(await place.leftovers()).toEqual([]);
  });

  test.each([
    [
      "ends the process",
      scenario("bob: () => process.exit(0)"),
      2,
      "(process.exit): remove the call",
    ],
    [
      "awaits a promise that never settles",
      "await new Promise(() => {})",
      2,
      "awaits a promise that never settles",
    ],
    [
      "throws an error that is not caught",
      `setTimeout(() => { throw new Error("late") }); await new Promise(() => {})`,
      4,
      "Error: late",
    ],
  ])("when a scenario %s", async (_, text, code, says) => {
    const ended = await heddle("run", "odd.mjs", text);
    expect(ended.stderr).toContain(says);
    expect(ended.code).toBe(code);
    // The reaper removes what such a process leaves.
    await expect.poll(() => place.leftovers()).toEqual([]);
  });

  test("when a worker process ends itself", async () => {
    const text = `if (process.send) setTimeout(() => process.exit(0), 500);
      export { default } from ${BOOKING};`;
    const options = ["--runs", "100000", "--workers", "2"];
    const { code, stdout } = await heddle("verify", "exits.mjs", text, ...options);
    expect(stdout).toMatch(/^UNKNOWN/);
    expect(code).toBe(4);
  });
});
