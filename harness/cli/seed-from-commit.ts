import { execFile } from "node:child_process";
import { promisify } from "node:util";
import { HarnessError } from "../core/error.ts";

/** What `--seed` takes instead of a number. */
export const FROM_COMMIT = "from-commit";

/**
 * The seed of the commit that is checked out: another one for each commit, and always the same for
 * the same one, so that a red build is red again.
 */
export async function seedFromCommit(): Promise<number> {
  try {
    const { stdout } = await promisify(execFile)("git", ["rev-parse", "HEAD"]);
    return Number.parseInt(stdout.slice(0, 8), 16) | 0;
  } catch (cause) {
    throw new HarnessError(
      "USAGE",
      "there is no commit to take the seed from: run in a git repository, or give --seed a number",
      { cause },
    );
  }
}
