import { platform } from "node:os";
import { HarnessError } from "../core/error.ts";
import type { Address } from "./address.ts";
import { installedBinaries, runnableBinaries } from "./binaries.ts";
import { cacheFolder, sweepDrafts } from "./cache.ts";
import { cachedCluster, copyCluster } from "./cluster.ts";
import type { Leftover } from "./leftovers.ts";
import { type OsUser, serverUser } from "./os-user.ts";
import { ownServer } from "./own-server.ts";
import { freePort, launch } from "./postmaster.ts";
import { freeze, killTree, thaw } from "./process-tree.ts";
import { RunFolder, sweepRunFolders } from "./run-folder.ts";
import type { Server, ServerOptions } from "./server.ts";

interface Start extends Pick<ServerOptions, "faults"> {
  /** The major version, if it is not to be the one that Heddle brings along. */
  readonly major?: string | undefined;
  /**
   * `socket`: a Unix socket that only this user can reach; `tcp`: a free port of the loopback, with
   * a password.
   */
  readonly over?: "socket" | "tcp";
  readonly why?: string;
}

/** Starts a Postgres from the binaries that npm installed, on a copy of the cached cluster. */
export async function startEmbedded(start: Start = {}): Promise<Server> {
  if (start.faults && platform() === "win32") {
    throw new HarnessError(
      "UNSUPPORTED",
      "Windows cannot pause a server: use a container for faults (--postgres container).",
    );
  }
  try {
    const account = await serverUser();
    const run = await RunFolder.open(account);
    return await serve(run, account, start).catch(async (error: unknown) => {
      await run.close();
      throw error;
    });
  } catch (cause) {
    if (cause instanceof HarnessError) throw cause;
    const message = cause instanceof Error ? cause.message : String(cause);
    throw new HarnessError(
      "PROVIDER_FAILED",
      `Cannot start the embedded Postgres: ${message}. Run heddle doctor to see what is missing.`,
      { cause },
    );
  }
}

async function serve(run: RunFolder, account: OsUser | undefined, start: Start): Promise<Server> {
  const { over = platform() === "win32" ? "tcp" : "socket", why = "as asked" } = start;
  const { faults: durable = false } = start;
  const swept = Promise.allSettled([
    sweepRunFolders(),
    cacheFolder(account).then((cache) => sweepDrafts(cache)),
  ]);
  const binaries = await runnableBinaries(await installedBinaries(start.major), account);
  const onDraft = (draft: Leftover) => run.reaper.watch(draft);
  const cluster = await cachedCluster(binaries, account, onDraft);
  const onProcess = (pid: number) => run.reaper.watch({ folder: run.path, pid });
  await copyCluster(cluster, run.data, account, onProcess);
  const address: Address = over === "tcp" ? await freePort() : { host: run.data, port: 5432 };
  const launched = () => launch({ binaries, account, run, address, durable, onProcess });
  let postmaster = await launched();
  await Promise.all([swept, run.reaper.ready]);
  return ownServer({
    provider: "embedded",
    describe: (version) => `embedded PostgreSQL ${version} (${why})`,
    run,
    address,
    password: cluster.password,
    faults: start.faults
      ? {
          pause: () => freeze(postmaster.pid),
          resume: () => thaw(postmaster.pid),
          kill: () => killTree(postmaster.pid),
          restart: async () => {
            postmaster = await launched();
          },
        }
      : undefined,
    failure: () => postmaster.failure(),
    close: () => run.close(),
  });
}
