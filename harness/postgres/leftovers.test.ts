import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { exists } from "./cache.ts";
import { removeLeftover } from "./leftovers.ts";

let folder: string;
const children: ChildProcess[] = [];
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "heddle-leftovers-"));
});
afterEach(async () => {
  for (const child of children.splice(0)) child.kill("SIGKILL");
  await rm(folder, { recursive: true, force: true });
});

/** Starts a process that does not end by itself, with `argument` on its command line. */
async function start(argument: string, script = "") {
  const run = `${script}; process.stdout.write("on"); setInterval(() => {}, 1000)`;
  const child = spawn(process.execPath, ["-e", run, argument]);
  children.push(child);
  await once(child.stdout, "data");
  const { pid } = child;
  if (pid === undefined) throw new Error("not started");
  const ended = once(child, "exit").then(([, signal]: unknown[]) => signal);
  return { child, pid, ended };
}

test("ends the process that works in the folder, and removes the folder", async () => {
  const { pid, ended } = await start(join(folder, "data"));
  await removeLeftover({ folder, pid });
  expect(await ended).toBe("SIGQUIT");
  expect(await exists(folder)).toBe(false);
});

test("ends the process that postmaster.pid names", async () => {
  const { pid, ended } = await start(join(folder, "data"));
  await mkdir(join(folder, "data"));
  await writeFile(join(folder, "data", "postmaster.pid"), `${pid}\n${folder}/data\n`);
  await removeLeftover({ folder });
  expect(await ended).toBe("SIGQUIT");
});

test("ends a paused process", async () => {
  const { child, pid, ended } = await start(folder);
  child.kill("SIGSTOP");
  await removeLeftover({ folder, pid });
  expect(await ended).toBe("SIGQUIT");
});

test("kills a process that ignores SIGQUIT", async () => {
  const { pid, ended } = await start(folder, "process.on('SIGQUIT', () => {})");
  await removeLeftover({ folder, pid }, 50);
  expect(await ended).toBe("SIGKILL");
});

test("does not end another process that has the same id", async () => {
  const { child, pid } = await start("something else");
  await removeLeftover({ folder, pid });
  expect(child.signalCode).toBe(null);
  expect(() => process.kill(pid, 0)).not.toThrow();
  expect(await exists(folder)).toBe(false);
});

test("accepts a folder and a process that do not exist", async () => {
  await removeLeftover({ folder: join(folder, "gone"), pid: 2 ** 22 + 1 });
});
