import { access, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { Command } from "commander";
import { HarnessError } from "../core/error.ts";
import { makeFolder } from "../explorer/atomic-write.ts";
import { EXIT } from "./exit.ts";
import { print } from "./output.ts";

const SCENARIO = `import { defineScenario } from "heddle";
import pg from "pg";

/**
 * Adds one to the counter, as an application would. It may use any driver, pool or ORM, as long as it
 * connects to \`url\` and closes its connections.
 */
async function increment({ url }) {
  const db = new pg.Client(url);
  await db.connect();
  try {
    const { rows } = await db.query("select value from counters where id = 1");
    await db.query("update counters set value = $1 where id = 1", [rows[0].value + 1]);
  } finally {
    await db.end();
  }
}

export default defineScenario({
  // Runs once, on an empty database. Heddle restores these rows before each execution.
  setup: \`
    create table counters (id int primary key, value int not null);
    insert into counters values (1, 0)\`,

  // The clients run concurrently. Heddle decides whose statement runs next.
  clients: { ada: increment, bob: increment },

  // What has to hold after every interleaving: a query that must return no rows.
  invariants: {
    "every increment counts": "select value from counters where value <> 2",
  },
});
`;

const WORKFLOW = `name: heddle
on: [push, pull_request]
jobs:
  heddle:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 22
      - run: npm ci
      - run: npx heddle run race.mjs
      - if: failure()
        uses: actions/upload-artifact@v4
        with:
          name: heddle
          path: reports
`;

const FILES: { readonly [path: string]: string } = {
  "race.mjs": SCENARIO,
  ".github/workflows/heddle.yml": WORKFLOW,
};

/** `heddle init`: writes a scenario to start from, and a CI workflow. */
export function addInit(command: Command, finished: (exitCode: number) => void): void {
  command.argument("[folder]", "the folder for the files", ".").action(async (folder: string) => {
    finished(await runCommand(folder));
  });
}

/** Writes nothing if one of the files exists. Throws HarnessError `USAGE`. */
async function runCommand(folder: string): Promise<number> {
  const paths = Object.keys(FILES);
  for (const path of paths) {
    if (await exists(join(folder, path))) {
      throw new HarnessError(
        "USAGE",
        `there is a ${join(folder, path)} already, so nothing was written: give another folder, or move the file`,
      );
    }
  }
  try {
    for (const path of paths) await makeFolder(dirname(join(folder, path)), 0o777);
    for (const [path, text] of Object.entries(FILES)) await writeFile(join(folder, path), text);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(
      "USAGE",
      `the folder ${folder} cannot be written to (${why}): give another folder`,
      { cause },
    );
  }
  for (const path of paths) print(`wrote ${join(folder, path)}\n`);
  print(`\nNow run it: npx heddle run ${join(folder, "race.mjs")}\n`);
  return EXIT.pass;
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
