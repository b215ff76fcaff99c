import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Heddle's own version, from its package, wherever this file lies in it. */
export const version: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  const { version: own } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return String(own);
})();
