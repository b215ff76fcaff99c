import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { availableParallelism } from "node:os";
import { fileURLToPath } from "node:url";
import type { Server } from "../postgres/provider.ts";
import { version } from "../version.ts";
import type { Environment } from "./campaign.ts";

/** SHA-256 of each file in hexadecimal, by its folder and name. */
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

/** The versions and the machine that a report names. */
export function environmentOf(
  server: Server,
  lockWaits: Environment["postgres"]["lockWaits"],
): Environment {
  return {
    heddle: version,
    node: process.version,
    platform: `${process.platform} ${process.arch}`,
    cpus: availableParallelism(),
    postgres: { provider: server.provider, version: server.version, lockWaits },
  };
}
