import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { Project } from "ts-morph";
import { expect, test } from "vitest";
import { docsOf, ENTRIES, entryFile, publicExports, unexportedTypes } from "./public-api.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

const entries = Object.keys(ENTRIES) as (keyof typeof ENTRIES)[];

/** Types that users pass on and whose members are no part of the API, with the reason. */
const OPAQUE = {
  CampaignTotals: "only `heddle report --merge` reads it",
};

test("every type that a public signature mentions is exported", () => {
  const exports = publicExports(entryFile(root, "heddle"));
  expect(unexportedTypes(exports, Object.keys(OPAQUE))).toEqual([]);

  for (const entry of entries.filter((name) => name !== "heddle")) {
    const tests = publicExports(entryFile(root, entry));
    const names = new Set([...exports, ...tests].map(({ name }) => name));
    expect(unexportedTypes(tests, [...names, ...Object.keys(OPAQUE)])).toEqual([]);
  }
});

test.each(entries)("%s exports each name once", (entry) => {
  const names = publicExports(entryFile(root, entry)).map(({ name }) => name);
  expect(names).toEqual([...new Set(names)]);
});

test.each(entries)("each export of %s has a docstring", (entry) => {
  const undocumented = publicExports(entryFile(root, entry))
    .filter(({ declaration }) => docsOf(declaration).length === 0)
    .map(({ name }) => name);
  expect(undocumented).toEqual([]);
});

test("the index fits one screen", () => {
  const index = readFileSync(new URL("harness/index.ts", `file://${root}`), "utf8");
  expect(index.split("\n").length).toBeLessThanOrEqual(64);
});

function unexportedIn(sources: Readonly<Record<string, string>>, opaque: readonly string[] = []) {
  const project = new Project({ useInMemoryFileSystem: true, skipLoadingLibFiles: true });
  for (const [path, text] of Object.entries(sources)) project.createSourceFile(path, text);
  return unexportedTypes(publicExports(project.getSourceFileOrThrow("/index.ts")), opaque);
}

test("a type is mentioned by parameters, results, members, bases and type arguments", () => {
  const types = `
    export interface Base {} export interface Argument {} export interface Result {}
    export interface Options extends Base { readonly argument: readonly Argument[] }
    export class Thing { #hidden: Hidden; get(): Map<string, Result> { const a: Hidden = 1; } }
    interface Hidden {}`;
  const run = `import type { Options as O, Thing } from "./types.ts";
    export function run(options: O): Thing {}`;
  const exporting = (index: string) =>
    unexportedIn({ "/types.ts": types, "/run.ts": run, "/index.ts": index });

  expect(exporting('export { run } from "./run.ts";')).toEqual([
    "O, mentioned by run",
    "Thing, mentioned by run",
    "Base, mentioned by O",
    "Argument, mentioned by O",
    "Result, mentioned by Thing",
  ]);
  expect(
    exporting(`export { run } from "./run.ts"; export { Thing } from "./types.ts";
      export type * from "./types.ts";`),
  ).toEqual([]);
});

test("an opaque type is not followed, and a package's types are its own", () => {
  const index = `import type { Client } from "pg";
    export interface Options { readonly client: Client; readonly inner: Inner }
    interface Inner { readonly deeper: Deeper } interface Deeper {}`;
  expect(unexportedIn({ "/index.ts": index }, ["Inner"])).toEqual([]);
  expect(unexportedIn({ "/index.ts": index })).toEqual([
    "Inner, mentioned by Options",
    "Deeper, mentioned by Inner",
  ]);
});
