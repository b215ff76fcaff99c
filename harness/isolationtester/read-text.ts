import { readFile } from "node:fs/promises";
import { HarnessError } from "../core/error.ts";

/**
 * @param what the file is, for the message.
 * @throws HarnessError USAGE when it cannot be read.
 */
export async function readText(file: string, what: string): Promise<string> {
  try {
    return await readFile(file, "utf8");
  } catch (cause) {
    throw new HarnessError("USAGE", `The ${what} ${file} cannot be read: check its path.`, {
      cause,
    });
  }
}
