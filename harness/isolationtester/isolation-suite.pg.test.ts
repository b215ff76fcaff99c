import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { describe, expect, test } from "vitest";
import { exists } from "../postgres/cache.ts";
import type { Server } from "../postgres/server.ts";
import { DEBIAN_15, startDebian15 } from "./debian-15.fixture.ts";
import { compareWithExpected } from "./expected.ts";
import { parseSpec } from "./parse.ts";
import { runSpec } from "./run-spec.ts";

/** `src/test/isolation` of PostgreSQL 15's sources, as .ci/isolation-suite unpacks it. */
const suite = process.env["HEDDLE_TEST_ISOLATION_SUITE"];

const LEFT_OUT: { readonly [spec: string]: string } = {
  "intra-grant-inplace-db": "it names its database isolation_regression",
  "prepared-transactions": "it takes half a minute, and is not in the suite's own schedule",
};

/** How many servers there are: what a spec does can be seen by another one on the same server. */
const AT_ONCE = 3;

async function whyNot(): Promise<string | undefined> {
  if (suite === undefined) {
    return "HEDDLE_TEST_ISOLATION_SUITE names no folder: .ci/isolation-suite FOLDER makes one";
  }
  return (await exists(DEBIAN_15)) ? undefined : `there is no ${DEBIAN_15}`;
}

const lacking = await whyNot();
if (lacking !== undefined && process.env["CI"] === "true") {
  throw new Error(`CI has to test PostgreSQL's isolation suite, and cannot: ${lacking}`);
}

/** Whether the spec gives what is expected of it; else the first lines of what differs. */
async function difference(server: Server, folder: string, name: string): Promise<string> {
  let outcome = "";
  const file = join(folder, "specs", `${name}.spec`);
  await runSpec(server, parseSpec(await readFile(file, "utf8"), file), {
    name,
    print: (text) => {
      outcome += text;
    },
    stepTimeoutMs: 20_000,
    signal: undefined,
  });
  const compared = await compareWithExpected(outcome, join(folder, "expected", `${name}.out`));
  return compared.difference.slice(0, 2_000);
}

async function stale(folder: string, names: Iterable<string>): Promise<Map<string, string>> {
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
  await Promise.all(Array.from({ length: AT_ONCE }, work));
  return different;
}

const reason = lacking === undefined ? "" : ` (skipped: ${lacking})`;
describe.skipIf(lacking !== undefined)(`PostgreSQL 15's isolation suite${reason}`, () => {
  test("each spec gives the expected output", async () => {
    const folder = suite ?? "";
    const files = await readdir(join(folder, "specs"));
    const all = files.map((file) => basename(file, ".spec"));
    const names = all.filter((name) => LEFT_OUT[name] === undefined);
    expect(names.length).toBeGreaterThan(100);
    expect(await stale(folder, names)).toEqual(new Map());
  }, 300_000);
});
