import * as nodeModule from "node:module";
import { pathToFileURL } from "node:url";

/** Marks a module as another instance, with a memory of its own. */
const MARK = "heddle-loaded";

/** The sources of Heddle itself are loaded once: its values are compared by identity. */
const OWN_SOURCES = new URL("../", import.meta.url).href;

let loaded = 0;
let hooked = false;

/**
 * The URL of a module as a new instance. What it imports from the user's own files is a new instance too,
 * where Node allows that (22.15 and later); packages and CommonJS modules keep their memory.
 */
export function freshModule(file: string): string {
  if (!hooked && typeof nodeModule.registerHooks === "function") {
    nodeModule.registerHooks({
      resolve(specifier, context, next) {
        const resolved = next(specifier, context);
        const mark = context.parentURL && markOf(context.parentURL);
        if (!mark || !isOwnFile(resolved.url)) return resolved;
        const url = new URL(resolved.url);
        url.searchParams.set(MARK, mark);
        return { ...resolved, url: url.href };
      },
    });
  }
  hooked = true;
  const url = pathToFileURL(file);
  url.searchParams.set(MARK, String(++loaded));
  return url.href;
}

function markOf(url: string): string | null {
  return url.startsWith("file:") ? new URL(url).searchParams.get(MARK) : null;
}

/** Whether a module is a file of the user's: neither Node's, nor of a package, nor of Heddle. */
function isOwnFile(url: string): boolean {
  return url.startsWith("file:") && !url.includes("/node_modules/") && !url.startsWith(OWN_SOURCES);
}
