import { randomUUID } from "node:crypto";
import { mkdir, rename, rm, writeFile } from "node:fs/promises";
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
    await mkdir(path.dirname(file), { recursive: true, mode: folderMode });
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
