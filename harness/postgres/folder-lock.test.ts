import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtemp, rm, utimes } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { isAbandoned, lockFolder } from "./run-folder.ts";

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-lock-"));
});
afterEach(() => rm(folder, { recursive: true }));

test("a folder is not abandoned while the process that locked it lives", async () => {
  const lock = await lockFolder(folder);
  expect(await isAbandoned(folder)).toBe(false);
  lock.close();
});

test("a folder is abandoned when the process that locked it was killed", async () => {
  const module = new URL("./run-folder.ts", import.meta.url).href;
  const script = `import { lockFolder } from ${JSON.stringify(module)};
    await lockFolder(${JSON.stringify(folder)});
    process.stdout.write("locked");
    setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ["--input-type=module-typescript", "-e", script]);
  await once(child.stdout, "data");
  expect(await isAbandoned(folder)).toBe(false);
  child.kill("SIGKILL");
  await once(child, "exit");
  expect(await isAbandoned(folder)).toBe(true);
});

test("a folder without a lock is abandoned only when it is old", async () => {
  expect(await isAbandoned(folder)).toBe(false);
  const old = new Date(Date.now() - 60 * 60 * 1000);
  await utimes(folder, old, old);
  expect(await isAbandoned(folder)).toBe(true);
});

test("a folder that does not exist is not abandoned", async () => {
  expect(await isAbandoned(join(folder, "gone"))).toBe(false);
});
