import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../../", import.meta.url));

/** Violations are kept beside the definition. */
const kept = fileURLToPath(new URL("regressions", import.meta.url));

afterAll(() => rm(kept, { recursive: true, force: true }));

/** Runs `heddle verify` with a definition of this folder. Resolves with its exit code and its output. */
async function heddle(definition: string, runs: number): Promise<{ code: number; output: string }> {
  const folder = await mkdtemp(join(tmpdir(), "wallets-"));
  const file = join("models", "wallets", definition);
  const options = `--seed 1 --runs ${runs} --gates statement --report ${folder}`.split(" ");
  const args = [join(root, "bin", "heddle.js"), "verify", file, ...options];
  try {
    return await new Promise((resolve) => {
      const child = execFile(process.execPath, args, { cwd: root }, (_, stdout, stderr) =>
        resolve({ code: child.exitCode ?? -1, output: stdout + stderr }),
      );
    });
  } finally {
    await rm(folder, { recursive: true });
  }
}

test("the wallets pass without a model", { timeout: 300_000 }, async () => {
  const { code, output } = await heddle("wallets.heddle.ts", 60);
  expect(output).toContain("PASS");
  expect(code).toBe(0);
});

test("without their locks, two holds reserve the same money", { timeout: 300_000 }, async () => {
  const { code, output } = await heddle("unlocked.heddle.ts", 250);
  expect(output).toContain("holds are covered");
  expect(code).toBe(1);
});
