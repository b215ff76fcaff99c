import { chmod, mkdir, mkdtemp, readdir, readFile, rm, utimes, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { buildOnce, cacheFolder, sweepDrafts } from "./cache.ts";

let cache: string;
beforeEach(async () => {
  cache = await mkdtemp(join(tmpdir(), "heddle-cache-test-"));
});
afterEach(async () => {
  vi.unstubAllEnvs();
  await rm(cache, { recursive: true });
});

const write = (text: string) => (draft: string) => writeFile(join(draft, "file"), text);

test("does not build a folder that exists", async () => {
  const folder = join(cache, "thing");
  expect(await buildOnce(folder, write("first"))).toBe(folder);
  expect(await buildOnce(folder, write("second"))).toBe(folder);
  expect(await readFile(join(folder, "file"), "utf8")).toBe("first");
});

test("keeps one of several concurrent builds, and removes the other drafts", async () => {
  const folder = join(cache, "thing");
  const waiting: (() => void)[] = [];
  const build = async (draft: string) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === 3) for (const go of waiting) go();
    });
    await write(draft)(draft);
  };
  await Promise.all([1, 2, 3].map(() => buildOnce(folder, build)));
  expect(await readdir(cache)).toEqual(["thing"]);
  expect(await readFile(join(folder, "file"), "utf8")).toMatch(/thing\.draft-[0-9a-f]{8}$/);
});

test("a failed build leaves no draft, and rejects with its error", async () => {
  const failing = async (draft: string) => {
    await write("half")(draft);
    throw new Error("disk full");
  };
  await expect(buildOnce(join(cache, "thing"), failing)).rejects.toThrow("disk full");
  expect(await readdir(cache)).toEqual([]);
});

test("sweeps old drafts, and nothing else", async () => {
  for (const name of ["thing", "thing.draft-00000000", "thing.draft-11111111"]) {
    await mkdir(join(cache, name));
  }
  const old = new Date(Date.now() - 2 * 60 * 60 * 1000);
  for (const name of ["thing", "thing.draft-00000000"]) await utimes(join(cache, name), old, old);
  await sweepDrafts(cache);
  expect((await readdir(cache)).sort()).toEqual(["thing", "thing.draft-11111111"]);
});

test("the cache is below XDG_CACHE_HOME", async () => {
  vi.stubEnv("XDG_CACHE_HOME", cache);
  expect(await cacheFolder(undefined)).toBe(join(cache, "heddle"));
});

test("does not use a folder that other users can write", async () => {
  await mkdir(join(cache, "heddle"));
  await chmod(join(cache, "heddle"), 0o777);
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("TMPDIR", join(cache, "temporary"));
  await mkdir(join(cache, "temporary"));
  expect(await cacheFolder(undefined)).toMatch(/temporary.heddle-cache-/);
});

test("does not use a folder that the server's OS user cannot enter", async () => {
  vi.stubEnv("XDG_CACHE_HOME", cache);
  vi.stubEnv("TMPDIR", cache);
  const stranger = { name: "stranger", uid: 1_999_999_991, gid: 1_999_999_992 };
  await expect(cacheFolder(stranger)).rejects.toThrow(/set XDG_CACHE_HOME .* stranger can enter/);
});
