import { spawnSync } from "node:child_process";
import { copyFileSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";

const root = fileURLToPath(new URL("../", import.meta.url));
/** A project with one file, and the settings and packages of this one. */
let folder: string;

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "heddle-lint-"));
  for (const settings of ["biome.json", ".oxlintrc.json", "tsconfig.json"]) {
    copyFileSync(join(root, settings), join(folder, settings));
  }
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
});

afterAll(() => rmSync(folder, { recursive: true }));

/** Whether the linter reports the rule for the statement, in a file that passes without it. */
function breaks(rule: string, statement: string, linter: string, ...options: string[]): boolean {
  const lint = (body: string) => {
    writeFileSync(join(folder, "sample.ts"), `${context}\nexport function run() {\n  ${body}\n}\n`);
    return spawnSync(join(root, "node_modules/.bin", linter), [...options, "sample.ts"], {
      cwd: folder,
      encoding: "utf8",
    });
  };
  expect(lint("void [own, open];")).toMatchObject({ status: 0 });
  const { status, stdout, stderr } = lint(`void [own, open];\n  ${statement}`);
  return status === 1 && (stdout + stderr).includes(rule);
}

const context = `import { open } from "node:fs/promises";

async function own(): Promise<void> {}
`;

test("a floating promise is an error", () => {
  expect(breaks("noFloatingPromises", "own();", "biome", "lint")).toBe(true);
  expect(breaks("no-floating-promises", "own();", "oxlint")).toBe(true);
});

test("a floating promise of a package is an error", () => {
  expect(breaks("no-floating-promises", `open("x");`, "oxlint")).toBe(true);
});

test("a promise where none is expected is an error", () => {
  expect(breaks("no-misused-promises", "[1].forEach(async () => own());", "oxlint")).toBe(true);
  expect(breaks("noMisusedPromises", "if (own()) return;", "biome", "lint")).toBe(true);
});
