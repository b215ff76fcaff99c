import { execFile } from "node:child_process";
import { readFile } from "node:fs/promises";
import { join, relative } from "node:path";
import { promisify } from "node:util";
import { HarnessError } from "../core/error.ts";
import { type Change, SOURCE } from "../explorer/changed-pairs.ts";

/** The most text of files that did not change, in characters; with more, statements are not looked for. */
const MOST_TEXT = 50_000_000;

/**
 * What changed in the repository since a revision, with what is not committed yet.
 *
 * @param since a revision: the point where this branch left it counts. Default: what is not committed
 * @param definition the path of the definition's file
 * @throws HarnessError `USAGE` without a repository, or for a revision that there is not
 */
export async function changeSince(since: string, definition: string): Promise<Change> {
  const root = (await git(process.cwd(), "rev-parse", "--show-toplevel")).trim();
  const base = (await git(root, "merge-base", since, "HEAD")).trim();
  const names = async (...args: string[]) =>
    (await git(root, ...args, "-z")).split("\0").filter((name) => name !== "");
  const paths = new Set([
    ...(await names("diff", "--name-only", "--no-renames", base)),
    ...(await names("ls-files", "--others", "--exclude-standard")),
  ]);
  const textNow = (path: string) => readFile(join(root, path), "utf8").catch(() => "");
  const files = await Promise.all(
    [...paths].map(async (path) => ({
      path,
      before: await git(root, "show", `${base}:${path}`).catch(() => ""),
      after: await textNow(path),
    })),
  );
  const tracked = await names("ls-files");
  const unchanged: string[] = [];
  let size = 0;
  for (const path of tracked.filter((one) => SOURCE.test(one) && !paths.has(one))) {
    const text = await textNow(path);
    size += text.length;
    if (size > MOST_TEXT) break;
    unchanged.push(text);
  }
  return { since, files, unchanged, definition: relative(root, definition) };
}

async function git(folder: string, ...args: string[]): Promise<string> {
  try {
    const options = { cwd: folder, maxBuffer: MOST_TEXT };
    return (await promisify(execFile)("git", args, options)).stdout;
  } catch (cause) {
    throw new HarnessError(
      "USAGE",
      `--changed needs a git repository with that revision (git ${args.join(" ")} failed)`,
      { cause },
    );
  }
}
