import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { exists } from "../postgres/cache.ts";
import type { Server } from "../postgres/server.ts";
import { DEBIAN_15, startDebian15 } from "./debian-15.fixture.ts";
import { compareWithExpected } from "./expected.ts";
import { parseSpec } from "./parse.ts";
import { runSpec } from "./run-spec.ts";

/** The folder `src/test/isolation` of PostgreSQL 15's sources, which .ci/isolation-suite unpacks. */
const suite = process.env["HEDDLE_TEST_ISOLATION_SUITE"];

const SKIPPED_SPECS: { readonly [spec: string]: string } = {
  "intra-grant-inplace-db": "it requires the database isolation_regression",
  "prepared-transactions": "it takes 30 s, and the suite's own schedule skips it too",
};

/** Each of these servers runs one spec at a time, since specs on the same server can affect each other. */
const SERVERS = 3;

async function missingRequirement(): Promise<string | undefined> {
  if (suite === undefined) {
    return "HEDDLE_TEST_ISOLATION_SUITE is not set: .ci/isolation-suite FOLDER creates the folder";
  }
  return (await exists(DEBIAN_15)) ? undefined : `${DEBIAN_15} is not installed`;
}

const missing = await missingRequirement();
if (missing !== undefined && process.env["CI"] === "true") {
  throw new Error(`CI cannot run PostgreSQL's isolation suite: ${missing}`);
}

/** The beginning of the difference between a spec's output and its expected file; empty if they are equal. */
async function difference(server: Server, folder: string, name: string): Promise<string> {
  let output = "";
  const file = join(folder, "specs", `${name}.spec`);
  await runSpec(server, parseSpec(await readFile(file, "utf8"), file), {
    name,
    print: (text) => {
      output += text;
    },
    stepTimeoutMs: 20_000,
    signal: undefined,
  });
  const compared = await compareWithExpected(output, join(folder, "expected", `${name}.out`));
  return compared.difference.slice(0, 2_000);
}

async function differences(folder: string, names: Iterable<string>): Promise<Map<string, string>> {
  const different = new Map<string, string>();
  const next = names[Symbol.iterator]();
  const work = async () => {
    const server = await startDebian15();
    try {
      for (let one = next.next(); !one.done; one = next.next()) {
        const text = await difference(server, folder, one.value).catch(String);
        if (text !== "") different.set(one.value, text);
      }
    } finally {
      await server.stop();
    }
  };
  await Promise.all(Array.from({ length: SERVERS }, work));
  return different;
}

const reason = missing === undefined ? "" : ` (skipped: ${missing})`;
describe.skipIf(missing !== undefined)(`PostgreSQL 15's isolation suite${reason}`, () => {
  test("each spec has the expected output", async () => {
    const folder = suite ?? "";
    const files = await readdir(join(folder, "specs"));
    const all = files.map((file) => basename(file, ".spec"));
    const names = all.filter((name) => SKIPPED_SPECS[name] === undefined);
    expect(names.length).toBeGreaterThan(100);
    expect(await differences(folder, names)).toEqual(new Map());
  }, 300_000);
});
