import { execFile } from "node:child_process";
import { readFile, rm, stat } from "node:fs/promises";
import { platform } from "node:os";
import { join } from "node:path";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";

/** What a run leaves on this machine when it ends without cleaning up. */
export interface Leftover {
  /** A folder of ours with a random name. */
  readonly folder: string;
  /** A process that works in the folder, if one was started: its command line names the folder. */
  readonly pid?: number;
}

/** Postgres gives its own processes 5 s to obey an immediate shutdown. */
const OBEY_MS = 7000;
const POLL_MS = 5;

/** Ends the process, and any Postgres that runs on the folder's data, and removes the folder. */
export async function removeLeftover({ folder, pid }: Leftover, obeyMs = OBEY_MS): Promise<void> {
  const [postmaster] = await noteOf(folder);
  for (const found of [pid, Number(postmaster)]) {
    if (found !== undefined && found > 1) await endProcess(found, folder, obeyMs);
  }
  await removeSegment(folder);
  await rm(folder, { recursive: true, force: true, maxRetries: 3 });
}

/** The lines of the note that a Postgres has in its data while it runs, and after it was killed. */
async function noteOf(folder: string): Promise<string[]> {
  const note = await readFile(join(folder, "data", "postmaster.pid"), "utf8").catch(() => "");
  return note.split("\n");
}

/** Removes the shared memory segment of a Postgres that could not do so itself. */
async function removeSegment(folder: string): Promise<void> {
  const id = /^\s*\d+\s+(\d+)/.exec((await noteOf(folder))[6] ?? "")?.[1];
  if (id === undefined) return;
  const { uid, gid } = await stat(join(folder, "data"));
  // As its owner, so that the note of another account cannot name a segment of root's.
  const owner = process.getuid?.() === 0 ? { uid, gid } : {};
  await promisify(execFile)("ipcrm", ["-m", id], owner).catch(() => {});
}

/**
 * Immediate shutdown, then SIGKILL. Immediate, because nobody needs the data, and not SIGKILL at
 * once, because then its shared memory would outlive it.
 */
async function endProcess(pid: number, folder: string, obeyMs: number): Promise<void> {
  for (const signal of ["SIGQUIT", "SIGKILL"] as const) {
    if (!(await worksIn(pid, folder))) return;
    sendSignal(pid, signal);
    // One that is paused would not hear of it.
    if (platform() !== "win32") sendSignal(pid, "SIGCONT");
    const until = performance.now() + obeyMs;
    while (performance.now() < until && (await worksIn(pid, folder))) await delay(POLL_MS);
  }
}

export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ESRCH") throw error;
  }
}

/** Whether the process lives and is the one that we mean: process ids are reused. */
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
