import { execFileSync } from "node:child_process";
import { chmod, mkdir, mkdtemp, readdir, rm } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterEach, beforeEach, expect, test } from "vitest";

const BIN = fileURLToPath(new URL("../../bin/heddle.js", import.meta.url));

let home: string;

beforeEach(async () => {
  home = await mkdtemp("/tmp/hc-");
});

afterEach(() => rm(home, { recursive: true }));

function start(): void {
  const { NODE_COMPILE_CACHE: _, ...env } = process.env;
  execFileSync(process.execPath, [BIN, "--version"], { env: { ...env, XDG_CACHE_HOME: home } });
}

test("compiled code is stored for the next start", async () => {
  start();
  expect(await readdir(join(home, "heddle", "compiled"))).toHaveLength(1);
});

test("compiled code is not stored in a folder that other users can write", async () => {
  await mkdir(join(home, "heddle"));
  await chmod(join(home, "heddle"), 0o777);
  start();
  expect(await readdir(join(home, "heddle"))).toEqual([]);
});
