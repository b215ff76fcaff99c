import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { compareWithExpected } from "./expected.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-expected-"));
  await writeFile(join(folder, "a.out"), "one\ntwo\nthree\n");
  await writeFile(join(folder, "a_2.out"), "one\n2\n3\n");
});
afterEach(() => rm(folder, { recursive: true }));

test("a variant of the expected file counts as well", async () => {
  const file = join(folder, "a.out");
  expect(await compareWithExpected("one\ntwo\nthree\n", file)).toEqual({ file, difference: "" });
  expect(await compareWithExpected("one\n2\n3\n", file)).toEqual({
    file: join(folder, "a_2.out"),
    difference: "",
  });
});

test("the difference is that to the nearest of them", async () => {
  expect(await compareWithExpected("one\n2\n4\n", join(folder, "a.out"))).toEqual({
    file: join(folder, "a_2.out"),
    difference: "@@ -1 +1 @@\n one\n 2\n-3\n+4\n \n",
  });
});

test("a file that cannot be read is named", async () => {
  await expect(compareWithExpected("", join(folder, "b.out"))).rejects.toThrow(
    `The expected file ${join(folder, "b.out")} cannot be read`,
  );
});
