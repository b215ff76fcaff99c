import { mkdir, writeFile } from "node:fs/promises";
import { join } from "node:path";

/** As `tsx` is one: it registers a loader for TypeScript that is more than types, and for one alias. */
const LOADER = `
  import { readFileSync } from "node:fs";
  import { registerHooks, stripTypeScriptTypes } from "node:module";
  export function register() {
    registerHooks({
      resolve: (specifier, context, next) =>
        next(specifier.startsWith("@lib/") ? specifier.replace("@lib", "./lib") + ".ts" : specifier, context),
      load(url, context, next) {
        const path = new URL(url).pathname;
        if (!path.endsWith(".ts") || path.includes("/harness/")) return next(url, context);
        const source = stripTypeScriptTypes(readFileSync(path, "utf8"), { mode: "transform" });
        return { format: "module", shortCircuit: true, source };
      },
    });
  }`;

/** The files of a package `tsx` for the project in a folder, as text by path. */
export function tsxIn(folder: string): { readonly [path: string]: string } {
  return {
    [`${folder}/node_modules/tsx/package.json`]: '{ "exports": { "./esm/api": "./api.mjs" } }',
    [`${folder}/node_modules/tsx/api.mjs`]: LOADER,
  };
}

/** Writes texts by path, and the folders that these need. */
export async function writeFiles(
  folder: string,
  files: { readonly [path: string]: string },
): Promise<void> {
  for (const [path, text] of Object.entries(files)) {
    await mkdir(join(folder, path, ".."), { recursive: true });
    await writeFile(join(folder, path), text);
  }
}
