import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { sendSignal } from "./leftovers.ts";

/*
 * Signals to the process tree of a postmaster. Each child has a session of its own, so no signal to a
 * process group reaches all of them.
 */

const POLL_MS = 2;

/** Stops the postmaster and then its children, since the postmaster could start more. */
export async function pauseTree(postmaster: number): Promise<void> {
  sendSignal(postmaster, "SIGSTOP");
  await until(async () => (await stateOf([postmaster])).every(isStopped));
  const children = await childrenOf(postmaster);
  for (const child of children) sendSignal(child, "SIGSTOP");
  await until(async () => (await stateOf(children)).every(isStopped));
}

/** Continues a paused tree. */
export async function resumeTree(postmaster: number): Promise<void> {
  for (const child of await childrenOf(postmaster)) sendSignal(child, "SIGCONT");
  sendSignal(postmaster, "SIGCONT");
}

/** Kills all processes at once, as a crash does. */
export async function killTree(postmaster: number): Promise<void> {
  await pauseTree(postmaster);
  const all = [...(await childrenOf(postmaster)), postmaster];
  for (const pid of all) sendSignal(pid, "SIGKILL");
  await until(async () => (await stateOf(all)).length === 0);
}

interface TreeProcess {
  readonly pid: number;
  readonly parent: number;
  /** The state as `ps` shows it; it begins with `T` for a stopped process. */
  readonly state: string;
}

const isStopped = ({ state }: TreeProcess): boolean => state.startsWith("T");

async function childrenOf(postmaster: number): Promise<number[]> {
  return (await living()).filter(({ parent }) => parent === postmaster).map(({ pid }) => pid);
}

async function stateOf(pids: readonly number[]): Promise<TreeProcess[]> {
  return (await living()).filter(({ pid }) => pids.includes(pid));
}

/** All processes of the machine except zombies. */
async function living(): Promise<TreeProcess[]> {
  const all = platform() === "linux" ? await fromProc() : await fromPs();
  return all.filter(({ state }) => !/^[ZX]/.test(state));
}

async function fromProc(): Promise<TreeProcess[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
  return (await Promise.all(stats)).flatMap((stat) => {
    // The second field is a name in parentheses, which may contain spaces and parentheses.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === undefined || parent === undefined) return [];
    return { pid: Number.parseInt(stat, 10), parent: Number(parent), state };
  });
}

async function fromPs(): Promise<TreeProcess[]> {
  const columns = ["-A", "-o", "pid=", "-o", "ppid=", "-o", "state="];
  const { stdout } = await promisify(execFile)("ps", columns);
  return stdout
    .trim()
    .split("\n")
    .map((line) => {
      const [pid, parent, state = ""] = line.trim().split(/ +/);
      return { pid: Number(pid), parent: Number(parent), state };
    });
}

async function until(holds: () => Promise<boolean>): Promise<void> {
  while (!(await holds())) await delay(POLL_MS);
}
