import { randomUUID } from "node:crypto";
import { rm, rmdir, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { HarnessError } from "../core/error.ts";
import { makeFolder } from "../explorer/atomic-write.ts";
import { FILES } from "../reporters/report-files.ts";

/*
 * Places that a command writes to are tried before its work begins: an error after an hour would cost the
 * hour.
 */

/**
 * Tries whether reports can be written to a folder, which need not exist: writing them creates it.
 *
 * @param option the option that names the folder
 * @throws HarnessError `USAGE` with the reason
 */
export async function requireFolder(folder: string, option: string): Promise<void> {
  const advice = `give another folder with ${option}`;
  await tryToWrite(folder, `the folder ${folder} cannot be written to`, advice);
  for (const name of Object.values(FILES)) {
    const file = path.join(folder, name);
    if (await isFolder(file)) {
      throw new HarnessError("USAGE", `${file} is a folder, and belongs to a file: ${advice}`);
    }
  }
}

/**
 * Tries whether a file can be written, in a folder that need not exist.
 *
 * @param option the option that names the file
 * @throws HarnessError `USAGE` with the reason
 */
export async function requireFile(file: string, option: string): Promise<void> {
  const advice = `give another file with ${option}`;
  if (await isFolder(file)) {
    throw new HarnessError("USAGE", `${file} is a folder: ${advice}`);
  }
  await tryToWrite(path.dirname(file), `the file ${file} cannot be written`, advice);
}

/** As root, the rights that `access` reads say nothing about a file system that is read-only. */
async function tryToWrite(folder: string, failure: string, advice: string): Promise<void> {
  const draft = path.join(folder, `${randomUUID()}.part`);
  try {
    const made = await makeFolder(folder);
    await writeFile(draft, "", { mode: 0o600 });
    await rm(draft);
    // A command that ends before it writes anything leaves nothing behind.
    for (const own of made) await rmdir(own);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError("USAGE", `${failure} (${why}): ${advice}`, { cause });
  }
}

async function isFolder(file: string): Promise<boolean> {
  const found = await stat(file).catch(() => undefined);
  return found?.isDirectory() === true;
}
