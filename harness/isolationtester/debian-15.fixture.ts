import { appendFile } from "node:fs/promises";
import { join } from "node:path";
import { cachedCluster, copyCluster } from "../postgres/cluster.ts";
import { disposableServer } from "../postgres/disposable-server.ts";
import { startPostmaster } from "../postgres/embedded.ts";
import { serverUser } from "../postgres/os-user.ts";
import { RunFolder } from "../postgres/run-folder.ts";
import type { Server } from "../postgres/server.ts";

const FOLDER = "/usr/lib/postgresql/15";
const BIN = join(FOLDER, "bin");

/** The server's program in Debian's package. */
export const DEBIAN_15 = join(BIN, "postgres");

/** Starts Debian's PostgreSQL 15 on a fresh copy of a cluster. */
export async function startDebian15(): Promise<Server> {
  const binaries = {
    version: "15-debian",
    folder: FOLDER,
    postgres: DEBIAN_15,
    initdb: join(BIN, "initdb"),
  };
  const user = await serverUser();
  const run = await RunFolder.open(user);
  try {
    const onProcess = (pid: number) => run.reaper.watch({ folder: run.path, pid });
    const cluster = await cachedCluster(binaries, user, (draft) => run.reaper.watch(draft));
    await copyCluster(cluster, run.data, user, onProcess);
    await appendFile(join(run.data, "postgresql.conf"), "max_prepared_transactions = 10\n");
    const address = { host: run.data, port: 5432 };
    await startPostmaster({ binaries, user, run, address, durable: false, onProcess });
    return await disposableServer({
      provider: "embedded",
      describe: (version) => `Debian's PostgreSQL ${version}`,
      run,
      address,
      password: cluster.password,
      faults: undefined,
      failure: async () => undefined,
      close: () => run.close(),
    });
  } catch (error) {
    await run.close();
    throw error;
  }
}
