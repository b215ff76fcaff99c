import { readFile } from "node:fs/promises";
import { afterEach, beforeEach, expect, test } from "vitest";
import { TestFolder } from "./heddle.fixture.ts";

let place: TestFolder;

beforeEach(async () => {
  place = await TestFolder.make();
});
afterEach(async () => {
  const left = await place.leftovers();
  await place.remove();
  expect(left).toEqual([]);
});

const report = async (folder: string) =>
  JSON.parse(await readFile(place.path(`${folder}/report.json`), "utf8"));

test("merged shards equal one run, and a missing shard is no pass", async () => {
  const campaign = ["verify", "--seed", "5", "--scenarios", "8", "--strategy", "pct"];
  const runs = [
    ["--report", "whole"],
    ["--report", "a", "--shard", "1/2"],
    ["--report", "b", "--shard", "2/2"],
  ];
  for (const more of runs) expect((await place.heddle(...campaign, ...more)).code).toBe(0);
  const merge = await place.heddle("report", "--merge", "b", "a", "--report", "both");
  expect(merge).toMatchObject({ code: 0, stderr: "" });
  const withoutTimes = async (folder: string) => {
    const { timing: _, executionsPerSecond: __, ...rest } = await report(folder);
    return rest;
  };
  expect(await withoutTimes("both")).toEqual(await withoutTimes("whole"));

  const half = await place.heddle("report", "--merge", "a", "--report", "half");
  expect(half.stdout).toContain("shard 2 of 2 is missing");
  expect(half.code).toBe(4);
});

test.each([
  ["--shard without --scenarios", ["verify", "--shard", "1/2"], "--scenarios"],
  ["a shard beyond the last", ["verify", "--shard", "3/2"], "1/4"],
  ["a folder without a shard", ["report", "--merge", "nowhere"], "nowhere"],
  ["a seed from no commit", ["verify", "--seed", "from-commit"], "no commit"],
])("%s is a clear error", async (_, args, says) => {
  const { code, stderr } = await place.heddle(...args);
  expect(stderr).toContain(says);
  expect(code).toBe(2);
});
