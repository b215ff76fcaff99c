import { existsSync } from "node:fs";
import { extname, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { Subject } from "../explorer/subject.ts";

const PARTS = [
  "name",
  "migrate",
  "start",
  "scenarios",
  "patterns",
  "invariants",
  "codes",
  "mutants",
  "sources",
];

/**
 * Loads what is to be verified: the default export of a file, or of `models/<name>/index` in the
 * working directory, or of a model that comes with Heddle. Throws HarnessError `USAGE`.
 */
export async function loadSubject(nameOrPath: string): Promise<Subject> {
  const file = locate(nameOrPath);
  const module: unknown = await import(pathToFileURL(file).href).catch((cause: unknown) => {
    throw new HarnessError("USAGE", `the model ${file} cannot be loaded: ${String(cause)}`, {
      cause,
    });
  });
  const subject = (module as { readonly default?: unknown }).default;
  const missing = PARTS.filter((part) => !(subject instanceof Object && part in subject));
  if (missing.length > 0) {
    throw new HarnessError(
      "USAGE",
      `the default export of ${file} is no model: it has no ${missing.join(", ")}`,
    );
  }
  return subject as Subject;
}

function locate(nameOrPath: string): string {
  const looksLikePath = /[\\/]|\.[cm]?[jt]s$/.test(nameOrPath);
  const extension = extname(import.meta.url);
  const own = fileURLToPath(new URL("../../models/", import.meta.url));
  const candidates = looksLikePath
    ? [nameOrPath, `${nameOrPath}/index.ts`, `${nameOrPath}/index.js`]
    : [
        `models/${nameOrPath}/index.ts`,
        `models/${nameOrPath}/index.js`,
        `${own}${nameOrPath}/index${extension}`,
      ];
  const file = candidates.map((path) => resolve(path)).find(isFile);
  if (file !== undefined) return file;
  throw new HarnessError(
    "USAGE",
    `there is no model "${nameOrPath}": give the path of its file, or the name of a folder in models/`,
  );
}

function isFile(path: string): boolean {
  return existsSync(path) && extname(path) !== "";
}
