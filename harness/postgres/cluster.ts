import { createHash, randomBytes } from "node:crypto";
import { chmod, chown, cp, readFile, writeFile } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import type { Binaries } from "./binaries.ts";
import { buildOnce, cacheFolder } from "./cache.ts";
import type { Leftover } from "./leftovers.ts";
import { type OsUser, runAs } from "./os-user.ts";

const PASSWORD = "password";
const DATA = "data";

/** An initialized data directory of Postgres. */
export interface Cluster {
  readonly folder: string;
  /** The password of the superuser `postgres`, which is required over TCP only. */
  readonly password: string;
}

/**
 * The cached cluster. Each server gets a copy of it. initdb creates it once for each version of the
 * binaries and each OS user. The rules of each server say who may connect (see `startPostmaster`).
 * @param onDraft called with the folder and process of initdb, to clean up if this process is killed.
 */
export async function cachedCluster(
  binaries: Binaries,
  user: OsUser | undefined,
  onDraft: (leftover: Leftover) => void,
): Promise<Cluster> {
  const folder = await clusterFolder(binaries, user);
  await buildOnce(folder, async (draft) => {
    const password = join(draft, PASSWORD);
    await writeFile(password, randomBytes(16).toString("hex"), { mode: 0o600 });
    if (user !== undefined) {
      for (const path of [draft, password]) await chown(path, user.uid, user.gid);
    }
    await chmod(draft, 0o700);
    const where = ["--pgdata", join(draft, DATA), "--pwfile", password];
    await runAs(user, binaries.initdb, [...initdbArguments(binaries), ...where], (pid) =>
      onDraft({ folder: draft, pid }),
    );
  });
  return {
    folder: join(folder, DATA),
    password: await readFile(join(folder, PASSWORD), "utf8"),
  };
}

/** The path of the cached cluster, whether it exists or not. */
export async function clusterFolder(binaries: Binaries, user: OsUser | undefined): Promise<string> {
  const args = initdbArguments(binaries).join(" ");
  const settings = createHash("sha256").update(args).digest("hex").slice(0, 8);
  const uid = user?.uid ?? process.getuid?.() ?? "user";
  return join(await cacheFolder(user), `cluster-${binaries.version}-${uid}-${settings}`);
}

/** Copies a cluster into an empty folder as `user`, which then owns the copy. */
export async function copyCluster(
  cluster: Cluster,
  target: string,
  user: OsUser | undefined,
  onProcess: (pid: number) => void,
): Promise<void> {
  // A process of that user, since changing the owner of files afterwards could follow links.
  if (platform() === "win32") await cp(cluster.folder, target, { recursive: true });
  else await runAs(user, "cp", ["-R", `${cluster.folder}/.`, target], onProcess);
}

function initdbArguments({ version }: Binaries): string[] {
  return [
    "--username=postgres",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    // Small segments make the copy faster.
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
    ...(Number.parseInt(version, 10) >= 18 ? ["--no-data-checksums"] : []),
  ];
}
