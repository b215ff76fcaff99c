import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { fileURLToPath } from "node:url";
import { format, promisify } from "node:util";
import { afterAll, beforeAll, expect, test, vi } from "vitest";
import { verify } from "../explorer/verify.ts";
import { loadScenario } from "../loading/load-service.ts";
import { startServer } from "../postgres/provider.ts";

const root = fileURLToPath(new URL("../..", import.meta.url));

interface Section {
  readonly names: readonly string[];
  readonly file: string;
  readonly code: string;
}

/** The sections about exports: each names them in its heading, and has one example. */
function sectionsOf(text: string): readonly Section[] {
  return text.split(/^## /m).flatMap((section) => {
    const [heading = ""] = section.split("\n");
    const names = [...heading.matchAll(/`(\w+)`/g)].map(([, name = ""]) => name);
    const [, code = ""] = /```ts\n([\s\S]*?)```/.exec(section) ?? [];
    const [, file = ""] = /^\/\/ ([\w-]+\.ts)/.exec(code) ?? [];
    return names.length === 0 ? [] : [{ names, file, code }];
  });
}

/** The functions and classes that the index exports. */
const valuesOf = (index: string) =>
  [...index.matchAll(/^export \{([^}]*)\}/gm)].flatMap(([, names = ""]) =>
    names.split(",").flatMap((name) => (name.includes("type ") ? [] : name.trim() || [])),
  );

/** The lines that an example promises to print. */
const promised = (code: string) => [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text);

let sections: readonly Section[] = [];
let folder = "";
beforeAll(async () => {
  sections = sectionsOf(await readFile(join(root, "docs/library.md"), "utf8"));
  // In a folder that git ignores, from which the packages of the examples are found.
  folder = await mkdtemp(join(root, "reports/.library-"));
  const heddle = relative(folder, join(root, "harness/index.ts")).replaceAll("\\", "/");
  for (const { file, code } of sections) {
    await writeFile(join(folder, file), code.replaceAll('from "heddle"', `from "${heddle}"`));
  }
});
afterAll(() => rm(folder, { recursive: true }));

test("each function and class has a section, with an example that uses it", async () => {
  const index = await readFile(join(root, "harness/index.ts"), "utf8");
  const documented = sections.flatMap(({ names }) => names);
  expect(documented).toEqual(expect.arrayContaining(valuesOf(index)));
  for (const { names, code } of sections) {
    for (const name of names)
      expect(code.match(new RegExp(`\\b${name}\\b`, "g"))?.length ?? 0, name).toBeGreaterThan(1);
  }
  expect(
    valuesOf('export { a, type B, d } from "./a.ts";\nexport type {\n  C,\n} from "./c.ts";'),
  ).toEqual(["a", "d"]);
});

test("the examples compile", async () => {
  const config = { extends: "../../tsconfig.json", include: ["*.ts"], exclude: [] };
  await writeFile(join(folder, "tsconfig.json"), JSON.stringify(config));
  const tsc = join(root, "node_modules/.bin/tsc");
  const { stdout } = await promisify(execFile)(tsc, ["--project", folder]).catch((error) => error);
  expect(stdout).toBe("");
});

test("the examples print what they promise", async () => {
  const printed: string[] = [];
  const log = vi.spyOn(console, "log").mockImplementation((...values) => {
    printed.push(format(...values));
  });
  for (const { file, code } of sections) {
    printed.length = 0;
    await import(/* @vite-ignore */ join(folder, file));
    expect(printed, file).toEqual(promised(code));
  }
  log.mockRestore();
  expect(sections.flatMap(({ code }) => promised(code)).length).toBeGreaterThan(4);
});

test("the race of the example is found", async () => {
  const race = sections.find(({ file }) => file === "race.ts");
  const [, rule] = /npx heddle run race\.ts → (.*)/.exec(race?.code ?? "") ?? [];
  const server = await startServer("embedded");
  const service = await loadScenario(join(folder, "race.ts"));
  const { campaign } = await verify(server, service, { seed: 1, runs: 50 });
  await server.stop();
  expect(campaign.counterexamples[0]?.violations[0]?.name).toBe(rule);
});
