import { mkdtemp, readFile, rm } from "node:fs/promises";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SystemContext } from "../execution/system.ts";
import { startFunction } from "./service-function.ts";
import { tsxIn, writeFiles } from "./tsx.fixture.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp("/tmp/hf-");
  await writeFiles(folder, {
    "package.json": '{ "type": "module" }',
    ...tsxIn("."),
    "warm.mjs": `export default { service: () => ({ url: "http://warm", warm() {}, stop() {} }) };`,
    "cold.mjs": `export default { service: () => ({ url: "http://cold", stop() {} }) };`,
    "enum.ts": `enum Url { Enum = "http://enum" }
      export default { service: () => ({ url: Url.Enum as string, stop() {} }) };`,
    "failing.mjs": `import { writeFileSync } from "node:fs";
      export default {
        service({ databaseUrl }) {
          writeFileSync(databaseUrl, String(process.pid));
          throw new Error("no port is free");
        },
      };`,
  });
});

afterAll(() => rm(folder, { recursive: true }));

/** The database is a file in the folder. */
const databaseUrl = () => join(folder, "pid");

/** Starts the service of a file in another process, since faults may kill it. */
function startApart(file: string) {
  const context = { killable: true, urlFor: async () => databaseUrl() };
  return startFunction(
    () => Promise.reject(new Error("it is not started here")),
    context as unknown as SystemContext,
    {
      file: pathToFileURL(join(folder, file)),
      signal: new AbortController().signal,
      ...{ mutant: undefined, outside: undefined },
    },
  );
}

test.each([
  ["warm.mjs", true],
  ["cold.mjs", false],
])("the service of %s, in another process, opens lost connections: %s", async (file, warms) => {
  const started = await startApart(file);
  try {
    expect(started.pools?.warm !== undefined).toBe(warms);
    await started.pools?.warm?.();
    await started.restart?.();
    expect(started.url).toBe(`http://${file.slice(0, 4)}`);
  } finally {
    await started.stop();
  }
});

test("another process loads TypeScript that is more than types with the project's tsx", async () => {
  const started = await startApart("enum.ts");
  expect(started.url).toBe("http://enum");
  await started.stop();
});

test("no process is left of a service that cannot be started in another one", async () => {
  await expect(startApart("failing.mjs")).rejects.toMatchObject({
    code: "SERVICE_FAILED",
    message: expect.stringContaining("no port is free"),
  });
  const pid = Number(await readFile(databaseUrl(), "utf8"));
  expect(() => process.kill(pid, 0)).toThrow("ESRCH");
});
