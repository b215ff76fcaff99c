import { spawn } from "node:child_process";
import { once } from "node:events";
import { open, readFile } from "node:fs/promises";
import { type AddressInfo, createServer } from "node:net";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { HarnessError } from "../core/error.ts";
import { type Address, isSocket } from "./address.ts";
import type { Binaries } from "./binaries.ts";
import type { OsUser } from "./os-user.ts";
import { credentials } from "./program.ts";
import type { RunFolder } from "./run-folder.ts";
import { settingArguments, settingsFor } from "./settings.ts";

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
export async function launch(start: {
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
    ...credentials(start.account),
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
