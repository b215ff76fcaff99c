import { chmod, mkdtemp, readdir, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import pg from "pg";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exists } from "./cache.ts";
import { startEmbedded } from "./embedded.ts";
import {
  type HarnessProcess,
  processes,
  reaperOf,
  startHarness,
} from "./harness-process.fixture.ts";
import { baseFolder } from "./run-folder.ts";

/** The folder of the run folders of one test's harnesses. */
let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(await baseFolder(undefined), "hk-"));
  await chmod(base, 0o755);
});
afterEach(() => rm(base, { recursive: true }));

const start = (choice: string) => startHarness(choice, { env: { TMPDIR: base } });
const ourProcesses = () => processes().filter(({ command }) => command.includes(base));

function isAlive(pid: number): boolean {
  return processes().some((process) => process.pid === pid);
}

async function end(pid: number): Promise<void> {
  await expect.poll(() => isAlive(pid), { timeout: 20_000, interval: 20 }).toBe(false);
}

async function kill(harness: HarnessProcess): Promise<void> {
  process.kill(harness.pid, "SIGKILL");
  expect(await harness.ended).toBe("SIGKILL");
}

test("a harness that stops its server leaves nothing", async () => {
  const harness = start("embedded");
  await harness.started;
  const reaper = reaperOf(harness.pid);
  harness.child.stdin?.end();
  expect(await harness.ended).toBe(0);
  expect(isAlive(reaper)).toBe(false);
  expect(ourProcesses()).toEqual([]);
  expect(await readdir(base)).toEqual([]);
});

test("a killed harness leaves nothing, since the reaper cleans up", async () => {
  const harness = start("embedded");
  const { folder } = await harness.started;
  const reaper = reaperOf(harness.pid);
  expect(ourProcesses()).not.toEqual([]);
  expect(await exists(folder)).toBe(true);
  await kill(harness);
  await end(reaper);
  expect(ourProcesses()).toEqual([]);
  expect(await readdir(base)).toEqual([]);
});

test("a Ctrl-C at the terminal ends neither the server nor the reaper", async () => {
  const harness = start("embedded");
  await harness.started;
  const reaper = reaperOf(harness.pid);
  const all = processes();
  const groupOf = (pid: number | undefined) => all.find((process) => process.pid === pid)?.group;
  for (const pid of [reaper, ourProcesses()[0]?.pid]) {
    expect(groupOf(pid)).toBe(pid);
  }
  harness.child.stdin?.end();
  await harness.ended;
});

test("the reaper ignores SIGINT, SIGTERM and SIGHUP", async () => {
  const harness = start("embedded");
  await harness.started;
  const reaper = reaperOf(harness.pid);
  for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"] as const) process.kill(reaper, signal);
  await kill(harness);
  await end(reaper);
  expect(await readdir(base)).toEqual([]);
});

test("the next start cleans up if the reaper is killed too, and spares living harnesses", async () => {
  const [dead, living] = [start("embedded"), start("embedded")];
  const { folder } = await dead.started;
  const { url } = await living.started;
  process.kill(reaperOf(dead.pid), "SIGKILL");
  process.kill(reaperOf(living.pid), "SIGKILL");
  await kill(dead);
  expect(ourProcesses().filter(({ command }) => command.includes(dirname(folder)))).toHaveLength(1);

  const next = start("embedded");
  await next.started;
  expect(ourProcesses().filter(({ command }) => command.includes(dirname(folder)))).toEqual([]);
  expect(await exists(dirname(folder))).toBe(false);
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  await client.end();
  for (const harness of [next, living]) {
    harness.child.stdin?.end();
    expect(await harness.ended).toBe(0);
  }
  expect(await readdir(base)).toEqual([]);
});

test("a harness killed at any time during its start leaves nothing", async () => {
  for (let ms = 60; ms <= 400; ms += 20) {
    const harness = start("embedded");
    await new Promise((resolve) => setTimeout(resolve, ms));
    process.kill(harness.pid, "SIGSTOP");
    const reapers = processes().filter(({ parent }) => parent === harness.pid);
    await kill(harness);
    for (const { pid } of reapers) await end(pid);
    expect(ourProcesses()).toEqual([]);
    expect(await readdir(base)).toEqual([]);
  }
});

test("the reaper or the next start drops the databases on an existing server", async () => {
  const server = await startEmbedded({ over: "tcp" });
  const { url } = await server.lease();
  const client = new pg.Client({ connectionString: url });
  await client.connect();
  const databases = async () => {
    const { rows } = await client.query<{ datname: string }>(
      "select datname from pg_database where datname ~ '^heddle_' and datname <> current_database()",
    );
    return rows.map(({ datname }) => datname);
  };

  const killed = start(url);
  const { database: first } = await killed.started;
  expect(await databases()).toEqual([first]);
  const reaper = reaperOf(killed.pid);
  await kill(killed);
  await end(reaper);
  expect(await databases()).toEqual([]);

  const [dead, living] = [start(url), start(url)];
  const { database: livingDatabase } = await living.started;
  const { database: second } = await dead.started;
  expect((await databases()).sort()).toEqual([livingDatabase, second].sort());
  process.kill(reaperOf(dead.pid), "SIGKILL");
  await kill(dead);
  const next = start(url);
  const { database: third } = await next.started;
  expect((await databases()).sort()).toEqual([livingDatabase, third].sort());
  for (const harness of [next, living]) {
    harness.child.stdin?.end();
    expect(await harness.ended).toBe(0);
  }
  expect(await databases()).toEqual([]);
  expect(await readdir(base)).toEqual([]);
  await client.end();
  await server.stop();
});
