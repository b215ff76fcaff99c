import { readFile, writeFile } from "node:fs/promises";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { processes } from "../postgres/harness-process.fixture.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { printed, TestFolder } from "./heddle.fixture.ts";

/*
 * `npm start` is a chain of processes: npm, a shell, and the service. Each run is ended in another way,
 * and no process of the chain may be left.
 */

let place: TestFolder;

/** Counts requests; the name of its folder is in its command line. */
const SERVICE = `
  import http from "node:http";
  import pg from ${JSON.stringify(import.meta.resolve("pg"))};
  const pool = new pg.Pool({ connectionString: process.env.DATABASE_URL });
  pool.on("error", () => {});
  pool.on("connect", (client) => client.on("end", () => console.error("a connection has ended")));
  const count = async () => {
    const { rows } = await pool.query("select value from counter");
    await pool.query("update counter set value = $1", [rows[0].value + 1]);
  };
  http.createServer((_, response) => {
    count().then(() => response.end("counted"), () => response.writeHead(500).end());
  }).listen(Number(process.env.PORT), "127.0.0.1");`;

const scenarioOf = (...invariants: readonly string[]) => `export default {
  setup: "create table counter (value int); insert into counter values (0)",
  service: { exec: ["npm", "start"] },
  clients: { ada: { http: { path: "/" } }, bob: { http: { path: "/" } } },
  invariants: ${JSON.stringify(Object.fromEntries(invariants.map((sql) => [sql, sql])))},
};`;

beforeAll(async () => {
  place = await TestFolder.make();
  const start = `${process.execPath} ${place.path("service.mjs")}`;
  await writeFile(place.path("package.json"), JSON.stringify({ scripts: { start } }));
  await writeFile(place.path("service.mjs"), SERVICE);
  await writeFile(place.path("pass.mjs"), scenarioOf());
  await writeFile(place.path("fail.mjs"), scenarioOf("select * from counter where value <> 2"));
});

afterAll(() => place?.remove());

const services = () => processes().filter(({ command }) => command.includes(place.folder));

function start(file: string, ...args: string[]) {
  return place.start("run", file, "--seed", "1", "--postgres", testPostgres, ...args);
}

describe("no process of a service is left", () => {
  test("after a pass, and after a violation", async () => {
    const passed = await start("pass.mjs", "--runs", "3").ended;
    expect(passed.code).toBe(0);
    expect(services()).toEqual([]);
    const failed = await start("fail.mjs").ended;
    expect(failed.code).toBe(1);
    expect(services()).toEqual([]);
  });

  test.each([
    ["SIGINT", 130],
    ["SIGTERM", 130],
    ["SIGKILL", null],
  ] as const)("after %s in the middle of a run", async (signal, code) => {
    const { child, ended } = start("pass.mjs", "--runs", "100000", "--strategy", "pct");
    await printed(child, "runs/s");
    expect(services()).not.toEqual([]);
    child.kill(signal);
    const { code: exit, stdout } = await ended;
    expect(exit).toBe(code);
    if (code !== null) {
      expect(stdout).toMatch(/^UNKNOWN/);
      // The service says that its connections end, because Heddle ends them.
      const log = await readFile(place.path("reports/service.log"), "utf8").catch(() => "");
      expect(log).toBe("");
    }
    // After a crash, a process that outlives Heddle ends them.
    await expect.poll(services).toEqual([]);
  });
});
