import { execFile } from "node:child_process";
import { readFile, rm, stat } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** A folder, and the process in it, that a run leaves when it ends without cleaning up. */
export interface Leftover {
  /** A folder of Heddle's with a random name. */
  readonly folder: string;
  /** A process whose command line contains the folder, if one was started. */
  readonly pid?: number;
}

/** The postmaster kills its children 5 s after an immediate shutdown. */
const SHUTDOWN_MS = 7000;
const POLL_MS = 5;

/** Ends the process and any Postgres that runs on the folder's data, and removes the folder. */
export async function removeLeftover(
  { folder, pid }: Leftover,
  shutdownMs = SHUTDOWN_MS,
): Promise<void> {
  const [postmaster] = await postmasterFile(folder);
  for (const process of [pid, Number(postmaster)]) {
    if (process !== undefined && process > 1) await endProcess(process, folder, shutdownMs);
  }
  await removeSegment(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** The lines of `postmaster.pid`, which exists while a Postgres runs, and after it was killed. */
async function postmasterFile(folder: string): Promise<string[]> {
  const text = await readFile(join(folder, "data", "postmaster.pid"), "utf8").catch(() => "");
  return text.split("\n");
}

/** Removes the shared memory segment of a Postgres that was killed. */
async function removeSegment(folder: string): Promise<void> {
  const id = /^\s*\d+\s+(\d+)/.exec((await postmasterFile(folder))[6] ?? "")?.[1];
  if (id === undefined) return;
  const { uid, gid } = await stat(join(folder, "data"));
  // As the file's owner, so that a file of another user cannot name a segment of root's.
  const owner = process.getuid?.() === 0 ? { uid, gid } : {};
  await promisify(execFile)("ipcrm", ["-m", id], owner).catch(() => {});
}

/**
 * Sends SIGQUIT (immediate shutdown, since the data is not needed), and later SIGKILL. A SIGKILL at once
 * would leave the server's shared memory behind.
 */
async function endProcess(pid: number, folder: string, shutdownMs: number): Promise<void> {
  for (const signal of ["SIGQUIT", "SIGKILL"] as const) {
    if (!(await worksIn(pid, folder))) return;
    sendSignal(pid, signal);
    // A paused process handles the signal only when it continues.
    if (platform() !== "win32") sendSignal(pid, "SIGCONT");
    const until = performance.now() + shutdownMs;
    while (performance.now() < until && (await worksIn(pid, folder))) await delay(POLL_MS);
  }
}

/** Sends a signal to a process, which may have ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether the process is alive and works in the folder. Process ids are reused. */
async function worksIn(pid: number, folder: string): Promise<boolean> {
  return (await commandLine(pid)).includes(folder);
}

async function commandLine(pid: number): Promise<string> {
  if (platform() === "linux") return readFile(`/proc/${pid}/cmdline`, "utf8").catch(() => "");
  const [program, args] =
    platform() === "win32"
      ? [
          "powershell",
          [
            "-NoProfile",
            "-Command",
            `(Get-CimInstance Win32_Process -Filter ProcessId=${pid}).CommandLine`,
          ],
        ]
      : ["ps", ["-ww", "-o", "command=", "-p", String(pid)]];
  const { stdout } = await promisify(execFile)(program, args).catch(() => ({ stdout: "" }));
  return stdout;
}
