import { createRequire } from "node:module";
import { pathToFileURL } from "node:url";
import { HarnessError } from "../core/error.ts";

/** What Node says about TypeScript that is more than types. */
const UNSUPPORTED = ["ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX", "ERR_UNKNOWN_FILE_EXTENSION"];

/** What Node says about decorators, and about path aliases: and about mistakes, which only their place explains. */
const UNCLEAR = ["ERR_INVALID_TYPESCRIPT_SYNTAX", "ERR_MODULE_NOT_FOUND"];

/**
 * Imports a module. A TypeScript file is loaded by Node itself, where it can; else, and where it uses enums,
 * parameter properties or path aliases, by the project's `tsx`, if there is one.
 *
 * @param url the module's; that of another instance of it has a query
 * @throws what the module throws, and HarnessError `USAGE` where nothing here runs its TypeScript
 */
export async function importModule(file: string, url: string): Promise<unknown> {
  if (!/\.[cm]?ts$/.test(file)) return import(url);
  if (process.features.typescript) {
    try {
      return await import(url);
    } catch (error) {
      const code = codeOf(error);
      if (![...UNSUPPORTED, ...UNCLEAR].includes(code)) throw error;
      if (await registerTsx(file)) return import(again(url));
      if (!UNSUPPORTED.includes(code)) throw error;
      const why = error instanceof Error ? error.message.split("\n")[0] : String(error);
      throw cannot(file, `Node does not run all of TypeScript (${why})`, error);
    }
  }
  if (await registerTsx(file)) return import(url);
  const version = process.versions.node;
  throw cannot(file, `Node ${version} does not run TypeScript, as Node 22.18 and later do`);
}

function cannot(file: string, why: string, cause?: unknown): HarnessError {
  const advice = "add tsx to the project (npm install --save-dev tsx), or write the file as .mjs";
  return new HarnessError("USAGE", `${file} cannot be loaded: ${why}; ${advice}`, { cause });
}

/** Node keeps a module that it could not load. */
function again(url: string): string {
  const other = new URL(url);
  other.searchParams.set("heddle-tsx", "");
  return other.href;
}

function codeOf(error: unknown): string {
  return error instanceof Error && "code" in error ? String(error.code) : "";
}

let registered = false;

/** Has the `tsx` of the project around a file load TypeScript from now on; false if there is none. */
async function registerTsx(file: string): Promise<boolean> {
  if (registered) return true;
  let path: string;
  try {
    path = createRequire(file).resolve("tsx/esm/api");
  } catch {
    return false;
  }
  // The file for `require` cannot register itself on Node 20; the one for `import` is beside it.
  const { href } = pathToFileURL(path.replace(/\.cjs$/, ".mjs"));
  const { register } = (await import(href)) as { register(): unknown };
  register();
  registered = true;
  return true;
}
