import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { finished } from "./process.ts";

const SCRIPT = fileURLToPath(new URL("uncontrolled.ts", import.meta.url));

/** Two clients, of which one changes the schema: a run that began with the last one's would fail. */
const scenario = (invariant: string) => `
import pg from ${JSON.stringify(import.meta.resolve("pg"))};
const client = (sql) => async ({ url }) => {
  const db = new pg.Client(url);
  await db.connect();
  await db.query(sql);
  await db.end();
};
export default {
  setup: "create table visits (id int)",
  clients: { a: client("create table made (id int)"), b: client("insert into visits values (1)") },
  invariants: { rule: ${JSON.stringify(invariant)} },
};`;

test.each([
  ["select id from visits where id <> 1", 0],
  ["select id from visits", 3],
])("counts the runs that violate a rule: %s", async (invariant, violated) => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-uncontrolled-"));
  try {
    await writeFile(join(folder, "scenario.mjs"), scenario(invariant));
    const run = { cwd: folder, timeoutMs: 60_000 };
    const { stdout, stderr } = await finished(process.execPath, [SCRIPT, "scenario.mjs", "3"], run);
    expect(stderr).toBe("");
    expect(JSON.parse(stdout)).toMatchObject({ violated, runs: 3 });
  } finally {
    await rm(folder, { recursive: true });
  }
});
