import { spawnSync } from "node:child_process";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";

let folder = "";

/** As `tsx` is one: it registers a loader for TypeScript that is more than types, and for one alias. */
const LOADER = `
  import { readFileSync } from "node:fs";
  import { registerHooks, stripTypeScriptTypes } from "node:module";
  export function register() {
    registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier.startsWith("@lib/") ? specifier.replace("@lib", "./lib") + ".ts" : specifier, context),
      load(url, context, next) {
        const path = new URL(url).pathname;
        if (!path.endsWith(".ts") || path.includes("/harness/")) return next(url, context);
        const source = stripTypeScriptTypes(readFileSync(path, "utf8"), { mode: "transform" });
        return { format: "module", shortCircuit: true, source };
      },
    });
  }`;

beforeAll(async () => {
  folder = await mkdtemp("/tmp/hl-");
  const files = {
    "package.json": '{ "type": "module" }',
    "with/node_modules/tsx/package.json": '{ "exports": { "./esm/api": "./api.mjs" } }',
    "with/node_modules/tsx/api.mjs": LOADER,
    "with/lib/level.ts": 'export enum Level { Low = "select 1" }',
    "with/alias.ts": `import { Level } from "@lib/level";
      class Setup { constructor(public sql: string) {} }
      export default { setup: new Setup(Level.Low).sql, clients: { a() {} } };`,
    "without/enum.ts": "enum Level { Low } export default { setup: String(Level.Low) }",
    "without/alias.ts": 'import { Level } from "@lib/level"; export default Level;',
  };
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
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
