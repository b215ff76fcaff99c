import { spawn } from "node:child_process";
import { chmod, open, readFile, writeFile } from "node:fs/promises";
import { platform, userInfo } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { type Address, freePort, isSocket } from "./address.ts";
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
  /** The major version. Default: the version that Heddle depends on. */
  readonly major?: string | undefined;
  /**
   * `socket`: a Unix socket that only this user can reach; `tcp`: a free port of the loopback interface,
   * with a password. Default: `socket`, except on Windows.
   */
  readonly over?: "socket" | "tcp";
  /** Why this server was chosen, for its description. Default: `as asked`. */
  readonly why?: string;
}

/**
 * Starts a Postgres from the binaries that npm installed, on a copy of the cached cluster.
 * @throws HarnessError PROVIDER_FAILED, UNSUPPORTED for faults on Windows.
 */
export async function startEmbedded(options: EmbeddedOptions = {}): Promise<Server> {
  if (options.faults && platform() === "win32") {
    throw new HarnessError(
      "UNSUPPORTED",
      "Heddle cannot pause a server on Windows: use a container for faults (--postgres container).",
    );
  }
  try {
    const user = await serverUser();
    const run = await RunFolder.open(user);
    return await serve(run, user, options).catch(async (error: unknown) => {
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
  user: OsUser | undefined,
  options: EmbeddedOptions,
): Promise<Server> {
  const { over = platform() === "win32" ? "tcp" : "socket", why = "as asked" } = options;
  const { faults: durable = false } = options;
  const swept = Promise.allSettled([
    sweepRunFolders(),
    cacheFolder(user).then((cache) => sweepDrafts(cache)),
  ]);
  const binaries = await runnableBinaries(await installedBinaries(options.major), user);
  const onDraft = (draft: Leftover) => run.reaper.watch(draft);
  const cluster = await cachedCluster(binaries, user, onDraft);
  const onProcess = (pid: number) => run.reaper.watch({ folder: run.path, pid });
  await copyCluster(cluster, run.data, user, onProcess);
  const address: Address = over === "tcp" ? await freePort() : { host: run.data, port: 5432 };
  const launched = () => startPostmaster({ binaries, user, run, address, durable, onProcess });
  let postmaster = await launched();
  await Promise.all([swept, run.reaper.ready]);
  return disposableServer({
    provider: "embedded",
    describe: (version) => `embedded PostgreSQL ${version} (${why})`,
    run,
    address,
    password: cluster.password,
    faults: options.faults
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
const EXIT_MS = 500;

/** The main process of a server that was started. */
export interface Postmaster {
  readonly pid: number;
  /** If the server has ended: an error with the end of its log. */
  failure(): Promise<HarnessError | undefined>;
}

/**
 * Starts the server on the data in a run folder, and waits until it accepts connections.
 * @param start.durable whether committed data must survive a crash.
 * @throws HarnessError PROVIDER_FAILED with the end of the server's log, as soon as the server ends or
 * after 30 s.
 */
export async function startPostmaster(start: {
  readonly binaries: Binaries;
  readonly user: OsUser | undefined;
  readonly run: RunFolder;
  readonly address: Address;
  readonly durable: boolean;
  readonly onProcess: (pid: number) => void;
}): Promise<Postmaster> {
  const { run, address } = start;
  const { host, port } = address;
  const settings = {
    ...settingsFor(start.durable),
    ...(await accessRules(run.path, start.binaries)),
    log_min_messages: "fatal",
    // Files in the data directory are removed with it, even after a SIGKILL.
    dynamic_shared_memory_type: platform() === "win32" ? "windows" : "mmap",
    listen_addresses: isSocket(address) ? "" : host,
    unix_socket_directories: isSocket(address) ? host : "",
    port: String(port),
  };
  const logFile = join(run.path, "log");
  const log = await open(logFile, "a");
  const child = spawn(start.binaries.postgres, ["-D", run.data, ...settingArguments(settings)], {
    ...spawnOptionsFor(start.user),
    cwd: "/",
    // In a session of its own: a Ctrl-C at the terminal must reach Heddle only.
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
  const failed = async (reason: unknown, cause?: unknown) => {
    const logText = (await readFile(logFile, "utf8")).trim().slice(-2000);
    return new HarnessError(
      "PROVIDER_FAILED",
      `The embedded Postgres does not run: ${reason}. Its log says: ${logText || "nothing"}. If its files are damaged, remove Heddle's cache folder (heddle doctor shows its path).`,
      { cause },
    );
  };
  try {
    await untilReady(run.data, child.pid, ended.signal);
  } catch (cause) {
    throw await failed(ended.signal.reason ?? `it was not ready after ${START_MS / 1000} s`, cause);
  }
  const failure = async () => {
    // The loss of a connection may be reported before the exit of the server process.
    await delay(EXIT_MS, undefined, { signal: ended.signal }).catch(() => {});
    return ended.signal.aborted ? failed(ended.signal.reason) : undefined;
  };
  return { pid: child.pid ?? -1, failure };
}

/**
 * Writes who may log in to the server, outside its data directory: over the socket only the OS user of
 * this process, since other processes of the server's account, such as `nobody`, can reach the socket too;
 * over TCP the rules ask for the password. On Windows, which has no such check, the rules of initdb count.
 *
 * @returns the settings that name the rules
 */
async function accessRules(
  folder: string,
  { version }: Pick<Binaries, "version">,
): Promise<{ readonly [name: string]: string }> {
  if (platform() === "win32") return {};
  // Before PostgreSQL 16, a map of users cannot name all roles.
  const all = Number.parseInt(version, 10) >= 16;
  const files = { hba_file: join(folder, "hba.conf"), ident_file: join(folder, "ident.conf") };
  const rules = `local ${all ? "all all" : "all postgres"} peer map=heddle\n${all ? "" : "local all all trust\n"}`;
  const user = `heddle "${userInfo().username}" ${all ? "all" : "postgres"}\n`;
  await writeFile(files.hba_file, `${rules}host all all 127.0.0.1/32 scram-sha-256\n`);
  await writeFile(files.ident_file, user);
  // The server's account reads them; a strict umask would keep it from that.
  for (const file of Object.values(files)) await chmod(file, 0o644);
  return files;
}

/**
 * Resolves when the server is ready. The first line of `postmaster.pid` is its process id, the eighth its
 * state (https://www.postgresql.org/docs/current/storage-file-layout.html).
 */
async function untilReady(
  data: string,
  pid: number | undefined,
  ended: AbortSignal,
): Promise<void> {
  const signal = AbortSignal.any([ended, AbortSignal.timeout(START_MS)]);
  const file = join(data, "postmaster.pid");
  for (;;) {
    const lines = (await readFile(file, "utf8").catch(() => "")).split("\n");
    // A server that was killed may have left an older file.
    if (lines[0] === String(pid) && lines[7]?.trim() === "ready") return;
    await delay(POLL_MS, undefined, { signal });
  }
}
