import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { expect, test } from "vitest";
import { apiReference } from "./api-reference.ts";

const root = fileURLToPath(new URL("../", import.meta.url));

/** `npm run docs` writes the page. */
test("docs/api.md is up to date", async () => {
  await expect(apiReference(root)).toMatchFileSnapshot("../docs/api.md");
});

const SOURCES = {
  "harness/index.ts": `
    export { type Options, run, Clock } from "./run.ts";
    export type * from "./types.ts";`,
  "harness/types.ts": `
    /** A name. */
    export type Name = string;
    const LEVELS = ["low", "high"] as const;
    /** A level. */
    export type Level = (typeof LEVELS)[number];
    const KINDS = { a: 1, "b-c": 2 };
    /** A kind. */
    export type Kind = keyof typeof KINDS;
    /** A place. */
    export interface Place {
      /** Where. */
      readonly at: {
        /** From 1. */
        readonly line: number;
        readonly column: number;
      };
    }`,
  "harness/vitest.ts": "/** A test. */\nexport function raced(): void {}",
  "harness/node-test.ts": "",
  "harness/jest.ts": "",
  "harness/run.ts": `
    import type { Name } from "./types.ts";
    export interface Options {
      /** How often. Default: 1. */
      readonly times?: number;
      on(name: Name): void;
    }
    /**
     * Runs it.
     *
     * @param options what to do
     * @throws Error if it cannot
     */
    export async function run<T>(options: Options): Promise<T> { return options as T; }
    export class Clock {
      #now = 0;
      constructor(url: string) { this.#now = url.length; }
      /** The time, in ms. */
      now(): number { return this.#now; }
    }`,
};

test("an export has its signature, docstring, members and the types that it mentions", async () => {
  const folder = await mkdtemp(join(tmpdir(), "heddle-api-"));
  await mkdir(join(folder, "harness"));
  for (const [path, text] of Object.entries(SOURCES)) await writeFile(join(folder, path), text);
  const reference = apiReference(folder);
  await rm(folder, { recursive: true });

  expect(reference).toContain("Functions and classes: [`Clock`](#clock), [`run`](#run).");
  expect(reference).toContain(
    "Types: [`Kind`](#kind), [`Level`](#level), [`Name`](#name), [`Options`]",
  );
  expect(reference).toContain('type Level =\n  | "low"\n  | "high";\n');
  expect(reference).toContain('type Kind =\n  | "a"\n  | "b-c";\n');
  expect(reference).toContain(`
- \`at: object\`: Where.
  - \`line: number\`: From 1.
  - \`column: number\`
`);
  expect(reference).toContain(`### run

\`\`\`ts
function run<T>(options: Options): Promise<T>
\`\`\`

Runs it.

Parameter: \`options\` what to do

Throws: Error if it cannot

See [\`Options\`](#options).
`);
  expect(reference).toContain(`### Options

\`\`\`ts
interface Options
\`\`\`

- \`times?: number\`: How often. Default: 1.
- \`on(name: Name): void\`

See [\`Name\`](#name).
`);
  expect(reference).toContain(`class Clock
\`\`\`

- \`constructor(url: string)\`
- \`now(): number\`: The time, in ms.
`);
  expect(reference).toContain("## `heddle/vitest`\n\nFunctions and classes: [`raced`](#raced).");
});
