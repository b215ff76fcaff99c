import { writeFile } from "node:fs/promises";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Connection, connect, withDatabase } from "../postgres/connection.ts";
import { startEmbedded } from "../postgres/embedded.ts";
import type { Server } from "../postgres/provider.ts";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;
/** A server that is running already, and a superuser's session on it. */
let existing: Server;
let url: string;
let admin: Connection;
beforeAll(async () => {
  place = await TestFolder.make();
  await writeFile(place.path("safe.mjs"), scenario(2, "select * from accounts where balance < 0"));
  await writeFile(place.path("many.mjs"), scenario(34, "select * from accounts"));
  await writeFile(
    place.path("more.mjs"),
    scenario(100, "select * from accounts where balance < 0"),
  );
  existing = await startEmbedded({ over: "tcp" });
  url = withDatabase((await existing.lease()).url, "postgres");
  admin = await connect(url);
  await admin.query("create role maker login createdb password 'maker'");
});
afterAll(async () => {
  await admin.end();
  await existing.stop();
  await place.remove();
});

/** A scenario whose statements are safe in any order. */
function scenario(clients: number, invariant: string): string {
  return `import { defineScenario } from ${JSON.stringify(import.meta.resolve("../index.ts"))};
import pg from ${JSON.stringify(import.meta.resolve("pg"))};
async function withdraw({ url }) {
  const db = new pg.Client(url);
  await db.connect();
  await db.query("update accounts set balance = balance - 60 where balance >= 60");
  await db.end();
}
export default defineScenario({
  setup: "create table accounts (balance int); insert into accounts values (100)",
  clients: Object.fromEntries(Array.from({ length: ${clients} }, (_, at) => ["c" + at, withdraw])),
  invariants: { "the invariant": "${invariant}" },
});`;
}

function as(role: string): string {
  const other = new URL(url);
  other.username = other.password = role;
  return other.href;
}

const run = (postgres: string, report: string) =>
  place.heddle(
    ...["run", "safe.mjs", "--seed", "1", "--runs", "15", "--report", report],
    ...["--postgres", postgres],
  );

/** What a run could leave behind. */
async function databasesAndRoles(): Promise<unknown> {
  const { rows } = await admin.query(
    `select datname as name from pg_database union all select rolname from pg_roles order by 1`,
  );
  return rows;
}

test("runs at once on one server give each its verdict, and leave nothing behind", async () => {
  const before = await databasesAndRoles();
  const roles = [url, url, as("maker")];
  const ended = await Promise.all(roles.map((role, at) => run(role, `r${at}`)));
  for (const { code, stdout } of ended) {
    expect(stdout).toContain("PASS");
    expect(code).toBe(0);
  }
  expect(await databasesAndRoles()).toEqual(before);
});

test.each([
  [2, 2],
  [4, 4],
])("a run with %i connections says what is missing, and finds nothing", async (most, exitCode) => {
  await admin.query(`create role few login createdb password 'few' connection limit ${most}`);
  const before = await databasesAndRoles();
  const { code, stdout, stderr } = await run(as("few"), "few");
  expect((stdout + stderr).replaceAll(/\s+/g, " ")).toMatch(
    /the server has no free connection \(.*\).*raise its max_connections/,
  );
  expect(code).toBe(exitCode);
  expect(await databasesAndRoles()).toEqual(before);
  await admin.query("drop role few");
});

test("runs that share too few connections never take that for a fault of the service", async () => {
  await admin.query("create role shared login createdb password 'shared' connection limit 8");
  const ended = await Promise.all(["s1", "s2"].map((report) => run(as("shared"), report)));
  for (const { code, stdout, stderr } of ended) {
    if (code !== 0) expect((stdout + stderr).replaceAll(/\s+/g, " ")).toMatch(/no free connection/);
    expect([0, 2, 4]).toContain(code);
  }
});

async function executesOnce(file: string) {
  const { code, stdout } = await place.heddle(
    ...["run", file, "--runs", "1", "--shrink-time", "1s", "--report", "many"],
    ...["--postgres", url],
  );
  return { code, said: stdout.replaceAll(/\s+/g, " ") };
}

test("executes a hundred clients", async () => {
  const { code, said } = await executesOnce("more.mjs");
  expect(said).toContain("1 execution of 1 scenario with 100 clients");
  expect(code).toBe(0);
});

test("executes 34 clients, whose counterexample is reported", { tags: ["nightly"] }, async () => {
  const { code, said } = await executesOnce("many.mjs");
  expect(said).toContain("34 operations");
  expect(code).toBe(1);
});
