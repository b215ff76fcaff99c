import { existsSync, readdirSync } from "node:fs";
import { basename, dirname, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/**
 * The paths that a pattern names, in the order of their names (V2 before V10); `*` may be in its last part.
 *
 * @param file that of the definition: the pattern is relative to its folder
 */
export function filesOf(pattern: string, file: URL): readonly string[] {
  const path = resolve(fileURLToPath(new URL(".", file)), pattern);
  const folder = dirname(path);
  const parts = basename(path).split("*");
  const literal = (text: string) => text.replaceAll(/[.+?^${}()|[\]\\]/g, "\\$&");
  const matches = new RegExp(`^${parts.map(literal).join(".*")}$`);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names
    .filter((name) => matches.test(name))
    .sort(new Intl.Collator("en", { numeric: true }).compare)
    .map((name) => resolve(folder, name));
}
