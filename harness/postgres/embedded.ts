import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { type Address, isSocket } from "./address.ts";
import { type Binaries, installedBinaries, runnableBinaries } from "./binaries.ts";
import { cacheFolder, sweepDrafts } from "./cache.ts";
import { cachedCluster, copyCluster } from "./cluster.ts";
import { disposableServer } from "./disposable-server.ts";
import type { Leftover } from "./leftovers.ts";
import { type OsUser, serverUser, spawnOptionsFor } from "./os-user.ts";
import { killTree, pauseTree, resumeTree } from "./process-tree.ts";
import { RunFolder, sweepRunFolders } from "./run-folder.ts";
import type { Server, ServerOptions } from "./server.ts";
import { settingArguments, settingsFor } from "./settings.ts";

interface EmbeddedOptions extends Pick<ServerOptions, "faults"> {
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
export async function startEmbedded(start: EmbeddedOptions = {}): Promise<Server> {
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

async function serve(
  run: RunFolder,
  account: OsUser | undefined,
  start: EmbeddedOptions,
): Promise<Server> {
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
  const launched = () => startPostmaster({ binaries, account, run, address, durable, onProcess });
  let postmaster = await launched();
  await Promise.all([swept, run.reaper.ready]);
  return disposableServer({
    provider: "embedded",
    describe: (version) => `embedded PostgreSQL ${version} (${why})`,
    run,
    address,
    password: cluster.password,
    faults: start.faults
      ? {
          pause: () => pauseTree(postmaster.pid),
          resume: () => resumeTree(postmaster.pid),
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

const START_MS = 30_000;
const POLL_MS = 2;
const NEWS_MS = 500;

/** A server that was started. */
export interface Postmaster {
  readonly pid: number;
  /** If the server has ended: that, with the end of its log. */
  failure(): Promise<HarnessError | undefined>;
}

/**
 * Starts the server on the data in a run folder, and waits until it takes connections.
 * @param start.durable whether what is committed has to outlive a crash.
 * @throws HarnessError PROVIDER_FAILED with the end of its log, at once if it ends.
 */
export async function startPostmaster(start: {
  readonly binaries: Binaries;
  readonly account: OsUser | undefined;
  readonly run: RunFolder;
  readonly address: Address;
  readonly durable: boolean;
  readonly onProcess: (pid: number) => void;
}): Promise<Postmaster> {
  const { run, address } = start;
  const { host, port } = address;
  const settings = {
    ...settingsFor(start.durable),
    log_min_messages: "fatal",
    // In files below the data, which are removed with it even after a SIGKILL.
    dynamic_shared_memory_type: platform() === "win32" ? "windows" : "mmap",
    listen_addresses: isSocket(address) ? "" : host,
    unix_socket_directories: isSocket(address) ? host : "",
    port: String(port),
  };
  const logFile = join(run.path, "log");
  const log = await open(logFile, "a");
  const child = spawn(start.binaries.postgres, ["-D", run.data, ...settingArguments(settings)], {
    ...spawnOptionsFor(start.account),
    cwd: "/",
    // Out of the terminal's foreground: a Ctrl-C is for Heddle to handle, and not for it.
    detached: true,
    stdio: ["ignore", log.fd, log.fd],
    windowsHide: true,
  });
  if (child.pid !== undefined) start.onProcess(child.pid);
  child.unref();
  const ended = new AbortController();
  child.once("error", (error) => ended.abort(error.message));
  child.once("exit", (code, signal) => ended.abort(`it ended with ${signal ?? `code ${code}`}`));
  await log.close();
  const because = async (reason: unknown, cause?: unknown) => {
    const said = (await readFile(logFile, "utf8")).trim().slice(-2000);
    return new HarnessError(
      "PROVIDER_FAILED",
      `The embedded Postgres does not run: ${reason}. Its log says: ${said || "nothing"}. If its files are damaged, remove Heddle's cache folder (heddle doctor names it).`,
      { cause },
    );
  };
  try {
    await ready(run.data, child.pid, ended.signal);
  } catch (cause) {
    throw await because(
      ended.signal.reason ?? `it was not ready after ${START_MS / 1000} s`,
      cause,
    );
  }
  const failure = async () => {
    // A lost connection may be heard of before the end of the process that it led to.
    await delay(NEWS_MS, undefined, { signal: ended.signal }).catch(() => {});
    return ended.signal.aborted ? because(ended.signal.reason) : undefined;
  };
  return { pid: child.pid ?? -1, failure };
}

/** The first line of its file is a server's process id, the eighth its state. */
async function ready(data: string, pid: number | undefined, ended: AbortSignal): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(START_MS)]);
  const file = join(data, "postmaster.pid");
  for (;;) {
    const note = (await readFile(file, "utf8").catch(() => "")).split("\n");
    // One that was killed has left its own.
    if (note[0] === String(pid) && note[7]?.trim() === "ready") return;
    await delay(POLL_MS, undefined, { signal });
  }
}

/** A free port of the loopback. */
export async function freePort(): Promise<Address> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const { address, port } = server.address() as AddressInfo;
  server.close();
  await once(server, "close");
  return { host: address, port };
}
