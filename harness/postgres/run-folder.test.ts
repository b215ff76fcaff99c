import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, readdir, rm, stat, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test, vi } from "vitest";
import { exists } from "./cache.ts";
import { fitsSocket, isAbandoned, lockFolder, RunFolder, sweepRunFolders } from "./run-folder.ts";

let base: string;
beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), "heddle-run-"));
  vi.stubEnv("TMPDIR", base);
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(base, { recursive: true });
});

test("a run folder is private, below TMPDIR, and removed when it is closed", async () => {
  const run = await RunFolder.open(undefined);
  expect(run.path.startsWith(base)).toBe(true);
  for (const folder of [run.path, run.data, run.harnessFolder]) {
    expect((await stat(folder)).mode & 0o777).toBe(0o700);
  }
  await run.close();
  expect(await readdir(base)).toEqual([]);
});

test("a sweep removes only abandoned folders with the name of a run folder", async () => {
  const run = await RunFolder.open(undefined);
  const old = new Date(Date.now() - 60 * 60 * 1000);
  for (const name of ["heddle-pg-fresh", "heddle-pg-old", "heddle-other", "mine"]) {
    await mkdir(join(base, name));
    if (name !== "heddle-pg-fresh") await utimes(join(base, name), old, old);
  }
  await utimes(run.path, old, old);
  await sweepRunFolders();
  expect(await exists(run.path)).toBe(true);
  await run.close();
  expect((await readdir(base)).sort()).toEqual(["heddle-other", "heddle-pg-fresh", "mine"]);
});

test.each([
  ["/tmp", true],
  ["/var/folders/zz/zyxvpxvq6csfxvn_n0000000000000/T", true],
  [`/home/${"long/".repeat(20)}`, false],
  [`/home/${"é".repeat(40)}`, false],
])("the path of a socket fits below %s: %s", (folder, fits) => {
  expect(fitsSocket(folder)).toBe(fits);
});

test("ignores a TMPDIR whose path is too long", async () => {
  const deep = join(base, "x".repeat(90));
  await mkdir(deep);
  vi.stubEnv("TMPDIR", deep);
  const run = await RunFolder.open(undefined);
  expect(run.path).toMatch(/^\/tmp\/heddle-pg-[0-9a-f]{8}$/);
  await run.close();
});

describe("a folder lock", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "heddle-lock-"));
  });
  afterEach(() => rm(folder, { recursive: true }));

  test("a folder is not abandoned while the process that locked it lives", async () => {
    const lock = await lockFolder(folder);
    expect(await isAbandoned(folder)).toBe(false);
    lock.close();
  });

  test("a folder is abandoned when the process that locked it was killed", async () => {
    const module = new URL("./run-folder.ts", import.meta.url).href;
    const script = `import { lockFolder } from ${JSON.stringify(module)};
      await lockFolder(${JSON.stringify(folder)});
      process.stdout.write("locked");
      setInterval(() => {}, 1000);`;
    const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script]);
    await once(child.stdout, "data");
    expect(await isAbandoned(folder)).toBe(false);
    child.kill("SIGKILL");
    await once(child, "exit");
    expect(await isAbandoned(folder)).toBe(true);
  });

  test("a folder without a lock is abandoned only when it is old", async () => {
    expect(await isAbandoned(folder)).toBe(false);
    const old = new Date(Date.now() - 60 * 60 * 1000);
    await utimes(folder, old, old);
    expect(await isAbandoned(folder)).toBe(true);
  });

  test("a folder that does not exist is not abandoned", async () => {
    expect(await isAbandoned(join(folder, "gone"))).toBe(false);
  });
});
