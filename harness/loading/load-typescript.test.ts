import { spawnSync } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { tsxIn, writeFiles } from "../service/tsx.fixture.ts";

let folder = "";

beforeAll(async () => {
  folder = await mkdtemp("/tmp/hl-");
  const files = {
    "package.json": '{ "type": "module" }',
    ...tsxIn("with"),
    "with/lib/level.ts": 'export enum Level { Low = "select 1" }',
    "with/alias.ts": `import { Level } from "@lib/level";
      class Setup { constructor(public sql: string) {} }
      export default { setup: new Setup(Level.Low).sql, clients: { a() {} } };`,
    "without/enum.ts": "enum Level { Low } export default { setup: String(Level.Low) }",
    "without/alias.ts": 'import { Level } from "@lib/level"; export default Level;',
  };
  await writeFiles(folder, files);
});

afterAll(() => rm(folder, { recursive: true }));

/** Loads a file with Node alone, since the test runner has a loader for TypeScript itself. */
function load(file: string, ...options: string[]): string {
  const module = new URL("./load-service.ts", import.meta.url).href;
  const code = `
    const { loadScenario } = await import(${JSON.stringify(module)});
    ${options.includes("old") ? 'Object.defineProperty(process.features, "typescript", { value: false });' : ""}
    await loadScenario(${JSON.stringify(join(folder, file))}).then(
      () => console.log("loaded"), (error) => console.log(error.code, error.message));`;
  const args = ["--input-type=module", "--eval", code];
  return spawnSync(process.execPath, args, { encoding: "utf8" }).stdout;
}

test("enums, parameter properties and path aliases are loaded by the project's tsx", () => {
  expect(load("with/alias.ts")).toBe("loaded\n");
});

test("without tsx, an error says what does not run, and what to add", () => {
  expect(load("without/enum.ts")).toMatch(
    /USAGE .*enum is not supported.*npm install --save-dev tsx/,
  );
  expect(load("without/alias.ts")).toMatch(/USAGE .*@lib.*path alias.*npm install --save-dev tsx/);
});

test("on a Node without TypeScript, tsx loads it, and without tsx an error says so", () => {
  expect(load("with/alias.ts", "old")).toBe("loaded\n");
  expect(load("without/enum.ts", "old")).toMatch(
    /USAGE .*does not run TypeScript, as Node 22\.18 and later do; add tsx/,
  );
});
