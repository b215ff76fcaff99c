import { expect, test } from "vitest";
import { seedFromCommit } from "./seed-from-commit.ts";

test("a commit has one seed, a 32-bit integer", async () => {
  const seed = await seedFromCommit();
  expect(seed).toBe(seed | 0);
  expect(await seedFromCommit()).toBe(seed);
});
