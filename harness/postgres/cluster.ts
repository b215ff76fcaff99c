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

/** A Postgres data directory that is initialized. */
export interface Cluster {
  readonly folder: string;
  /** Of the superuser `postgres`; asked for over TCP only. */
  readonly password: string;
}

/**
 * The cached cluster that every server starts from a copy of: made by initdb once for each version
 * of the binaries and each account. Connections over its socket are trusted, since only its owner
 * (and root) can enter the folder that the socket is in.
 */
export async function cachedCluster(
  binaries: Binaries,
  account: OsUser | undefined,
  onDraft: (leftover: Leftover) => void,
): Promise<Cluster> {
  const folder = await clusterFolder(binaries, account);
  await buildOnce(folder, async (draft) => {
    const password = join(draft, PASSWORD);
    await writeFile(password, randomBytes(16).toString("hex"), { mode: 0o600 });
    if (account !== undefined) {
      for (const path of [draft, password]) await chown(path, account.uid, account.gid);
    }
    await chmod(draft, 0o700);
    const where = ["--pgdata", join(draft, DATA), "--pwfile", password];
    await runAs(account, binaries.initdb, [...initdbArguments(binaries), ...where], (pid) =>
      onDraft({ folder: draft, pid }),
    );
  });
  return {
    folder: join(folder, DATA),
    password: await readFile(join(folder, PASSWORD), "utf8"),
  };
}

/** Where that cluster is, or will be. */
export async function clusterFolder(
  binaries: Binaries,
  account: OsUser | undefined,
): Promise<string> {
  const args = initdbArguments(binaries).join(" ");
  const settings = createHash("sha256").update(args).digest("hex").slice(0, 8);
  const owner = account?.uid ?? process.getuid?.() ?? "user";
  return join(await cacheFolder(account), `cluster-${binaries.version}-${owner}-${settings}`);
}

/** Copies a cluster into an empty folder, as `account`, to whom the copy belongs. */
export async function copyCluster(
  cluster: Cluster,
  target: string,
  account: OsUser | undefined,
  onProcess: (pid: number) => void,
): Promise<void> {
  // A process, since ours may not give files away without following what a link may lead to.
  if (platform() === "win32") await cp(cluster.folder, target, { recursive: true });
  else await runAs(account, "cp", ["-R", `${cluster.folder}/.`, target], onProcess);
}

function initdbArguments({ version }: Binaries): string[] {
  return [
    "--username=postgres",
    "--auth-local=trust",
    "--auth-host=scram-sha-256",
    "--encoding=UTF8",
    "--locale=C",
    // Smaller, so that a copy is quicker.
    "--wal-segsize=1",
    "--no-sync",
    "--no-instructions",
    ...(Number.parseInt(version, 10) >= 18 ? ["--no-data-checksums"] : []),
  ];
}
