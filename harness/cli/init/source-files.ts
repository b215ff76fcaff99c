import { readdir, readFile } from "node:fs/promises";
import { basename, join, relative } from "node:path";

/** A text file of a project. */
export interface SourceFile {
  readonly path: string;
  readonly text: string;
}

const NOT_SOURCES = /^(?:node_modules|dist|build|coverage|public|tests?|__tests__|e2e|\..*)$/;
const MOST_FILES = 500;

/** The files of a service in JavaScript and TypeScript below a folder, without its tests. */
export async function sourcesIn(folder: string, root = folder): Promise<readonly SourceFile[]> {
  const found: SourceFile[] = [];
  for (const entry of await readdir(folder, { withFileTypes: true }).catch(() => [])) {
    const path = join(folder, entry.name);
    if (found.length > MOST_FILES) break;
    if (entry.isDirectory() && !NOT_SOURCES.test(entry.name)) {
      found.push(...(await sourcesIn(path, root)));
    } else if (
      // The generator of Express names the program that starts `bin/www`.
      (/\.[cm]?[jt]sx?$/.test(entry.name) ||
        (basename(folder) === "bin" && !/\./.test(entry.name))) &&
      !/\.(?:test|spec|heddle|d)\./.test(entry.name)
    ) {
      found.push({ path: relative(root, path), text: await readFile(path, "utf8") });
    }
  }
  return found;
}
