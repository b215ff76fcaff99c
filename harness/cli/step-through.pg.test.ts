import { spawnSync } from "node:child_process";
import { readdir } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import { TestFolder } from "./heddle.fixture.ts";

const BIN = fileURLToPath(new URL("../../bin/heddle.js", import.meta.url));
const EXAMPLE = fileURLToPath(new URL("../../examples/lost-update.ts", import.meta.url));

let place: TestFolder;
let file = "";

beforeAll(async () => {
  place = await TestFolder.make();
  const found = await place.heddle("run", EXAMPLE);
  expect(found.code).toBe(1);
  const [name] = await readdir(place.path("reports/counterexamples"));
  file = place.path(`reports/counterexamples/${name}`);
});
afterAll(() => place.remove());

function walk(input: string, ...args: string[]) {
  return spawnSync(process.execPath, [BIN, "replay", file, "--service", EXAMPLE, ...args], {
    input,
    encoding: "utf8",
    cwd: place.folder,
  });
}

test("prints each step, the state of each client and the changed rows", () => {
  const { stdout, status } = walk("\n".repeat(50), "--step");
  expect(stdout).toContain("client ada: has not started");
  expect(stdout).toMatch(/\+ public\.\w+ \{/);
  expect(stdout).toMatch(/- public\.\w+ \{/);
  expect(stdout).toContain("Return: next step");
  expect(stdout).toContain("1 of 1: the same steps and the same violation; violated");
  expect(status).toBe(1);
});

test("runs to the end on c, and at the end of the input", () => {
  const asked = (text: string) => text.split("Return: next step").length - 1;
  expect(asked(walk("c\n", "--step").stdout)).toBe(1);
  expect(asked(walk("\n\n", "--step").stdout)).toBe(3);
});

const psql = spawnSync("psql", ["--version"]).status === 0 || process.env["CI"] === "true";
test.skipIf(!psql)(
  `opens psql on the paused database${psql ? "" : " (skipped: there is no psql)"}`,
  () => {
    const { stdout, status } = walk("p\nc\n", "--psql");
    expect(stdout).toContain("p: psql");
    expect(status).toBe(1);
  },
);
