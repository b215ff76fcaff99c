import { mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import { requireFile, requireFolder } from "./writable.ts";

let place: string;

beforeEach(async () => {
  place = await mkdtemp(join(tmpdir(), "heddle-writable-"));
});

afterEach(() => rm(place, { recursive: true }));

describe("a place that is tried before the work", () => {
  test("is not created, nor are the folders above it", async () => {
    await requireFolder(join(place, "a/b"), "--report");
    await requireFile(join(place, "c/file.xml"), "--junit");
    expect(await readdir(place)).toEqual([]);
  });

  test("stays if it was there, with what is in it", async () => {
    await mkdir(join(place, "reports/old"), { recursive: true });
    await requireFolder(join(place, "reports"), "--report");
    expect(await readdir(join(place, "reports"))).toEqual(["old"]);
  });

  test("is refused where a file of a report cannot be", async () => {
    await mkdir(join(place, "report.json"));
    await expect(requireFolder(place, "--report")).rejects.toThrow("is a folder");
    await expect(requireFolder("/proc/heddle/reports", "--report")).rejects.toThrow(
      "give another folder with --report",
    );
  });
});
