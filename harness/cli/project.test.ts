import { existsSync } from "node:fs";
import { mkdir, mkdtemp, rm, symlink, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative } from "node:path";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { loadGivenService, loadRecordedService, serviceName } from "./project.ts";

let folder: string;

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-project-"));
  vi.spyOn(process, "cwd").mockReturnValue(folder);
});

afterEach(async () => {
  vi.restoreAllMocks();
  await rm(folder, { recursive: true });
});

const write = (name: string, text: string) => writeFile(join(folder, name), text);

test.each([
  ["heddle.config.ts", 'export default { service: "a.ts" } as { service: string };'],
  ["heddle.config.js", 'export default { service: "a.ts" };'],
  ["heddle.config.mjs", 'export default { service: "a.ts" };'],
  ["heddle.config.json", '{ "service": "a.ts" }'],
])("%s names the service, unless the command line does", async (name, text) => {
  await write("package.json", '{ "type": "module" }');
  await write(name, text);
  expect(await serviceName(undefined)).toBe("a.ts");
  expect(await serviceName("b.ts")).toBe("b.ts");
});

test("a service outside the working folder is executed only if the command line names it", async () => {
  const outside = await mkdtemp(join(tmpdir(), "outside-"));
  const executed = join(outside, "executed");
  const code = `import { writeFileSync } from "node:fs"; writeFileSync(${JSON.stringify(executed)}, "");`;
  await writeFile(join(outside, "a.mjs"), `${code}${service("a")}`);
  await symlink(join(outside, "a.mjs"), join(folder, "link.mjs"));
  const path = join(relative(process.cwd(), outside), "a.mjs");
  for (const name of [join(outside, "a.mjs"), path, "./link.mjs", `${outside}/a.spec`]) {
    await expect(loadRecordedService(name, undefined)).rejects.toMatchObject({
      code: "USAGE",
      message: expect.stringContaining("--service"),
    });
  }
  expect(existsSync(executed)).toBe(false);
  await loadRecordedService("other", join(outside, "a.mjs"));
  expect(existsSync(executed)).toBe(true);
  await rm(outside, { recursive: true });
});

test("without either, the error says how to begin", async () => {
  await expect(serviceName(undefined)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringMatching(/name its file.*heddle\.config\.mjs.*npx heddle init/),
  });
});

test.each([
  ["heddle.config.mjs", "export default {", "heddle.config.mjs cannot be loaded: "],
  ["heddle.config.mjs", "export const service = 'a.ts';", "heddle.config.mjs names no service"],
  ["heddle.config.json", '{ "service": 1 }', "heddle.config.json names no service"],
  ["heddle.config.json", '{ "servise": "a" }', "`servise` is unknown (did you mean `service`?"],
  [
    "heddle.config.json",
    '{ "service": "a", "seed": 1 }',
    "has an unknown member: `seed` is unknown",
  ],
  ["heddle.config.json", "{", "heddle.config.json cannot be loaded: SyntaxError"],
])("a %s with %s is refused", async (name, text, message) => {
  await write(name, text);
  await expect(serviceName(undefined)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining(message),
  });
});

const service = (name: string) => `export default { name: "${name}", migrate() {}, start() {},
  scenarios() {}, patterns: [], invariants: [], codes: {}, seededBugs: [], sources: [] };`;

test("a counterexample's service is found by --service, by its name, or in the config", async () => {
  await mkdir(join(folder, "models/shop"), { recursive: true });
  await write("models/shop/index.js", service("in models"));
  await write("shop.mjs", service("shop"));
  await write("heddle.config.json", JSON.stringify({ service: join(folder, "shop.mjs") }));
  const given = join(folder, "shop.mjs");
  expect(await loadRecordedService("other", given)).toMatchObject({ name: "shop" });
  expect(await loadRecordedService("shop", undefined)).toMatchObject({ name: "in models" });
  await rm(join(folder, "models"), { recursive: true });
  expect(await loadRecordedService("shop", undefined)).toMatchObject({ name: "shop" });
  await expect(loadRecordedService("other", undefined)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining('"other" of the counterexample is not found here'),
  });
});

test("a service whose name does not lead to its file has the options that a replay needs", async () => {
  await mkdir(join(folder, "models/shop"), { recursive: true });
  await write("models/shop/index.js", service("shop"));
  await write("other.mjs", service("shop"));
  await write("heddle.config.json", JSON.stringify({ service: join(folder, "other.mjs") }));
  const replayWith = async (...given: Parameters<typeof loadGivenService>) =>
    (await loadGivenService(...given)).service.replayWith;
  expect(await replayWith("shop")).toBeUndefined();
  expect(await replayWith(undefined)).toBeUndefined();
  const other = join(folder, "other.mjs");
  expect(await replayWith(other)).toEqual(["--service", other]);
  expect(await replayWith("shop", ["a.sql"])).toEqual(["--invariant", "a.sql"]);
});
