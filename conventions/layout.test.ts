import { globSync, readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { harness, layoutFindings } from "./layout.ts";

const root = new URL("../", import.meta.url);

/** The findings in a few sources, as `rule: path message`. */
function findingsIn(sources: Readonly<Record<string, string>>): readonly string[] {
  return layoutFindings(new Map(Object.entries(sources)), ["fastify", "libpg-query"]).map(
    ({ rule, path, message }) => `${rule}: ${path} ${message}`,
  );
}

test("the project keeps to its layout", () => {
  const paths = globSync("**/*.{ts,js,sql}", {
    cwd: root,
    exclude: (path) => /(^|\/)(node_modules|dist|reports|\.git)$/.test(path),
  });
  const sources = new Map(
    paths.map((path) => [path.replaceAll("\\", "/"), readFileSync(new URL(path, root), "utf8")]),
  );
  const manifest = readFileSync(new URL("package.json", root), "utf8");
  const { dependencies, peerDependencies } = JSON.parse(manifest);

  const findings = layoutFindings(sources, Object.keys({ ...dependencies, ...peerDependencies }));

  expect([...sources.keys()]).toContain("harness/index.ts");
  expect([...sources.keys()].join()).toContain(".pg.test.ts");
  expect(findings.map(({ path, message }) => `${path} ${message}`)).toEqual([]);
});

test("ARCHITECTURE.md has the layers", () => {
  const rows = readFileSync(new URL("ARCHITECTURE.md", root), "utf8").matchAll(
    /^\| ((?:`[a-z]+`(?:, )?)+) \| (.*) \|$/gm,
  );
  const names = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, name = ""]) => name);
  const layers = [...rows].flatMap(([, folders = "", may = ""]) =>
    names(folders).map((folder) => [folder, names(may)] as const),
  );
  expect(Object.fromEntries(layers)).toEqual(harness);
});

describe("imports between folders", () => {
  const forbidden = [
    ["harness/core/a.ts", "harness/proxy/b.ts"],
    ["harness/proxy/a.ts", "harness/postgres/b.ts"],
    ["harness/postgres/a.ts", "harness/proxy/b.ts"],
    ["harness/scheduler/a.ts", "harness/execution/b.ts"],
    ["harness/checkers/a.ts", "harness/explorer/b.ts"],
    ["harness/reporters/a.ts", "harness/execution/b.ts"],
    ["harness/execution/a.ts", "harness/scheduler/random.ts"],
    ["harness/explorer/a.ts", "harness/reporters/b.ts"],
    ["harness/index.ts", "models/booking/b.ts"],
    ["harness/cli/a.ts", "models/booking/b.ts"],
    ["harness/core/a.test.ts", "harness/proxy/b.ts"],
    ["models/booking/a.ts", "harness/core/b.ts"],
    ["models/booking/a.ts", "src/b.ts"],
    ["models/booking/a.test.ts", "models/counter/b.ts"],
    ["src/a.ts", "harness/index.ts"],
    ["src/a.test.ts", "models/booking/b.ts"],
    ["harness/cli/a.ts", "harness/proxy/b.ts"],
    ["harness/cli/a.ts", "harness/checkers/b.ts"],
    ["bench/a.ts", "conventions/b.ts"],
    ["bench/a.ts", "harness/proxy/b.ts"],
    ["bench/a.ts", "src/b.ts"],
    ["conventions/a.ts", "harness/core/b.ts"],
    ["bin/a.js", "harness/core/b.ts"],
    ["migrations/a.ts", "src/b.ts"],
  ] as const;

  test.each(forbidden)("%s must not import %s", (path, target) => {
    const up = "../".repeat(path.split("/").length - 1);
    expect(findingsIn({ [path]: `import "${up}${target}";` })).toEqual([
      `imports: ${path} must not import ${target}`,
    ]);
  });

  const allowed = [
    ["harness/core/a.ts", "harness/core/b.ts"],
    ["harness/proxy/a.ts", "harness/core/b.ts"],
    ["harness/proxy/a.pg.test.ts", "harness/postgres/b.ts"],
    ["harness/execution/a.ts", "harness/scheduler/scheduler.ts"],
    ["harness/execution/a.pg.test.ts", "harness/scheduler/random.ts"],
    ["harness/explorer/a.ts", "harness/checkers/b.ts"],
    ["harness/cli/a.ts", "harness/reporters/b.ts"],
    ["harness/index.ts", "harness/core/b.ts"],
    ["models/booking/a.ts", "models/booking/b.ts"],
    ["models/booking/a.ts", "harness/index.ts"],
    ["models/booking/service.ts", "src/b.ts"],
    ["models/booking/mutants/a.ts", "src/b.ts"],
    ["models/booking/a.pg.test.ts", "src/b.ts"],
    ["src/a.pg.test.ts", "harness/postgres/b.ts"],
    ["bench/a.ts", "models/booking/b.ts"],
    ["bench/a.ts", "harness/explorer/b.ts"],
    ["harness/cli/a.ts", "harness/proxy/wire-proxy.ts"],
    ["vitest.config.ts", "harness/core/b.ts"],
  ] as const;

  test.each(allowed)("%s may import %s", (path, target) => {
    const up = path.includes("/") ? "../".repeat(path.split("/").length - 1) : "./";
    expect(findingsIn({ [path]: `import "${up}${target}";` })).toEqual([]);
  });

  test.each([
    `import { b } from "../proxy/b.ts"; b();`,
    `import type { B } from "../proxy/b.ts"; type C = B;`,
    `export { b } from "../proxy/b.ts";`,
    `export * from "../proxy/b.ts";`,
    `await import("../proxy/b.ts");`,
    `type B = import("../proxy/b.ts").B;`,
  ])("are seen in %s", (text) => {
    expect(findingsIn({ "harness/core/a.ts": text })).toContain(
      "imports: harness/core/a.ts must not import harness/proxy/b.ts",
    );
  });

  test("need a folder that the layout knows", () => {
    expect(findingsIn({ "harness/helpers/a.ts": "" })).toEqual([
      "imports: harness/helpers/a.ts is in a folder that the layout does not know",
    ]);
  });
});

describe("packages", () => {
  test("that the package does not install are not imported by what is published", () => {
    const imports = `import "vitest"; import "@types/pg/x";`;
    expect(findingsIn({ "harness/cli/a.ts": imports, "examples/b.ts": imports })).toEqual([
      "packages: examples/b.ts must not import vitest: it is not in package.json's dependencies",
      "packages: examples/b.ts must not import @types/pg/x: it is not in package.json's dependencies",
      "packages: harness/cli/a.ts must not import vitest: it is not in package.json's dependencies",
      "packages: harness/cli/a.ts must not import @types/pg/x: it is not in package.json's dependencies",
    ]);
  });

  test("are not imported by core, not even Node's own", () => {
    expect(findingsIn({ "harness/core/a.ts": `import "node:fs"; import "fastify";` })).toEqual([
      "packages: harness/core/a.ts must not import node:fs: core imports nothing",
      "packages: harness/core/a.ts must not import fastify: core imports nothing",
    ]);
  });

  test("that a folder wraps are imported by that folder alone", () => {
    const sources = {
      "harness/parser/a.ts": `import "libpg-query";`,
      "harness/mutation/b.ts": `import "libpg-query";`,
    };
    expect(findingsIn(sources)).toEqual([
      "packages: harness/mutation/b.ts must not import libpg-query: only harness/parser/ uses it",
    ]);
  });

  test("are free for tests and the sample; dependencies and Node's own are free for all", () => {
    expect(
      findingsIn({
        "harness/core/a.test.ts": `import "vitest";`,
        "src/a.ts": `import "vitest";`,
        "models/booking/a.ts": `import "vitest"; export {};`,
        "harness/cli/a.ts": `import "fastify"; import "fastify/types"; import "node:fs";`,
      }),
    ).toEqual([]);
  });
});

describe("cycles", () => {
  test("are reported once, along the shortest path", () => {
    expect(
      findingsIn({
        "src/a.ts": `import "./b.ts";`,
        "src/b.ts": `import "./c.ts"; import "./d.ts";`,
        "src/c.ts": `import "./d.ts";`,
        "src/d.ts": `import type { A } from "./a.ts"; type B = A;`,
      }),
    ).toEqual(["cycles: src/a.ts imports itself: src/a.ts → src/b.ts → src/d.ts → src/a.ts"]);
  });

  test("are not two paths to the same module", () => {
    expect(
      findingsIn({
        "src/a.ts": `import "./b.ts"; import "./c.ts";`,
        "src/b.ts": `import "./c.ts";`,
        "src/c.ts": "",
      }),
    ).toEqual([]);
  });
});

describe("dead exports", () => {
  test("are those that no other module imports", () => {
    expect(
      findingsIn({
        "src/a.ts": `export const used = 1, dead = used; export type Dead = 1; export default 2;`,
        "src/b.ts": `import { used } from "./a.ts"; used;`,
      }),
    ).toEqual([
      "dead-exports: src/a.ts nothing imports dead",
      "dead-exports: src/a.ts nothing imports Dead",
      "dead-exports: src/a.ts nothing imports default",
    ]);
  });

  test.each([
    `export { x } from "./a.ts";`,
    `export * from "./a.ts";`,
  ])("include one that is only re-exported: %s", (text) => {
    expect(findingsIn({ "src/a.ts": "export const x = 1;", "src/b.ts": text })).toEqual([
      "dead-exports: src/b.ts nothing imports x",
    ]);
  });

  test("are neither types that their own file uses, nor exports of an entry", () => {
    expect(
      findingsIn({
        "src/a.ts": `
          export interface Base {}
          export interface Options extends Base {}
          export function run(options: Options) {}`,
        "harness/index.ts": "export const entry = 1;",
        "vitest.config.ts": "export default 1;",
        "src/a.test.ts": `import { run } from "./a.ts"; run({});`,
      }),
    ).toEqual([]);
  });

  test.each([
    `import * as a from "./a.ts";`,
    `import("./a.ts");`,
  ])("are not in a module that another imports as a whole: %s", (text) => {
    expect(findingsIn({ "src/a.ts": "export const x = 1;", "src/b.ts": text })).toEqual([]);
  });
});

test.each(["src/a.ts", "migrations/a.sql", "src/a.test.ts"])("%s has at most 400 lines", (path) => {
  const limit = 400;
  const lines = (count: number): string => "--0;\n".repeat(count);
  expect(findingsIn({ [path]: lines(limit) })).toEqual([]);
  expect(findingsIn({ [path]: lines(limit + 1) })).toEqual([
    `file-size: ${path} has ${limit + 1} lines; at most ${limit} are allowed`,
  ]);
});
