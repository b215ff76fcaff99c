import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

/** Heddle's version, from its package.json. */
export const version: string = (() => {
  let folder = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(folder, "package.json"))) folder = dirname(folder);
  const { version: value } = JSON.parse(readFileSync(join(folder, "package.json"), "utf8"));
  return String(value);
})();
