import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { NO_TOTALS } from "./property.ts";
import { totalsOfShards } from "./shards.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-shards-"));
});

afterAll(() => rm(folder, { recursive: true }));

/** Two processes that print totals; what the second one does is given. */
async function totalsIf(secondDoes: string) {
  const script = join(folder, "part.mjs");
  const totals = JSON.stringify({ ...NO_TOTALS, scenarios: 3, holes: 1 });
  await writeFile(
    script,
    `if (process.argv.at(-1) === "1/2") { ${secondDoes} }
     console.log(${JSON.stringify(totals)});
     process.exitCode = 1;`,
  );
  return totalsOfShards(2, [script]);
}

test("the totals of all shards add up, also where a shard found holes", async () => {
  expect(await totalsIf("")).toMatchObject({ scenarios: 6, holes: 2 });
});

test.each([
  ["is killed", 'process.kill(process.pid, "SIGKILL");', "1/2 ended (SIGKILL)"],
  ["prints nothing", "process.exit(1);", "1/2 ended (exit code 1)"],
  ["fails", "process.exit(2);", "1/2 ended (exit code 2)"],
  ["fails after its totals", 'console.log("{}"); process.exit(2);', "1/2 ended (exit code 2)"],
])("a shard whose process %s is an error, and not one without holes", async (_, does, message) => {
  await expect(totalsIf(does)).rejects.toMatchObject({
    code: "PROVIDER_FAILED",
    message: expect.stringContaining(message),
  });
});
