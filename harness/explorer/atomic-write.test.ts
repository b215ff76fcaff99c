import { mkdtemp, readFile, rm, stat, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { atomicWrite } from "./atomic-write.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-write-"));
});
afterEach(() => rm(folder, { recursive: true }));

const modeOf = async (path: string) => (await stat(path)).mode & 0o777;

test("a file and its new folders are readable by their owner only, unless all may read them", async () => {
  const file = join(folder, "a/b/report.json");
  await atomicWrite(file, "text");
  expect(await readFile(file, "utf8")).toBe("text");
  expect([await modeOf(file), await modeOf(join(folder, "a"))]).toEqual([0o600, 0o700]);
  const open = join(folder, "metrics");
  await atomicWrite(open, "text", "all");
  expect((await modeOf(open)) & 0o400).toBe(0o400);
  expect(await modeOf(open)).toBe(0o666 & ~process.umask());
});

test("an impossible place is an error at once", async () => {
  await writeFile(join(folder, "file"), "");
  for (const place of [join(folder, "file/report.json"), "/proc/reports/report.json"]) {
    await expect(atomicWrite(place, "text")).rejects.toMatchObject({ code: "USAGE" });
  }
});
