import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, stat, writeFile } from "node:fs/promises";
import path from "node:path";
import { HarnessError } from "../core/error.ts";

/**
 * Writes a file in one step: readers see the old text or the new one. Creates the folder if needed.
 *
 * @param readers who may read a new file and folder. Default: their owner only, since they may hold data
 * of the system under test
 * @throws HarnessError `USAGE` if the file cannot be written
 */
export async function atomicWrite(
  file: string,
  text: string,
  readers: "owner" | "all" = "owner",
): Promise<void> {
  const [folderMode, mode] = readers === "owner" ? [0o700, 0o600] : [0o777, 0o666];
  const draft = `${file}.${randomUUID()}.part`;
  try {
    await makeFolder(path.dirname(file), folderMode);
    await writeFile(draft, text, { flush: true, mode });
    await rename(draft, file);
  } catch (cause) {
    await rm(draft, { force: true }).catch(() => undefined);
    const why = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(
      "USAGE",
      `The report cannot be written (${why}): name another folder with --report.`,
      { cause },
    );
  }
}

/**
 * Creates a folder and those above it. Not `mkdir` with `recursive`, which never ends below a folder such as
 * /proc, where none can be created.
 *
 * @param mode of new folders. Default: for their owner only
 * @returns the folders that it has created, the innermost one first
 */
export async function makeFolder(folder: string, mode = 0o700): Promise<readonly string[]> {
  const found = await stat(folder).catch(() => undefined);
  if (found?.isDirectory()) return [];
  const whole = path.resolve(folder);
  const above = path.dirname(whole);
  const made = above === whole ? [] : await makeFolder(above, mode);
  try {
    await mkdir(whole, { mode });
    return [whole, ...made];
  } catch (error) {
    // Another process may have created it meanwhile.
    const exists = error instanceof Error && "code" in error && error.code === "EEXIST";
    if (!exists || !(await stat(whole)).isDirectory()) throw error;
    return made;
  }
}
