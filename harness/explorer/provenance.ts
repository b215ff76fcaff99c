import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";

/** SHA-256 of each file, by its folder and name. */
export async function hashSources(
  sources: readonly URL[],
): Promise<{ readonly [path: string]: string }> {
  const hashes = await Promise.all(
    sources.map(async (url) => {
      const path = fileURLToPath(url);
      const name = path.split(/[\\/]/).slice(-2).join("/");
      return [
        name,
        createHash("sha256")
          .update(await readFile(path))
          .digest("hex"),
      ] as const;
    }),
  );
  return Object.fromEntries(hashes.sort(([a], [b]) => (a < b ? -1 : 1)));
}
