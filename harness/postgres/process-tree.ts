import { execFile } from "node:child_process";
import { readdir, readFile } from "node:fs/promises";
import { platform } from "node:os";
import { setTimeout as delay } from "node:timers/promises";
import { promisify } from "node:util";
import { sendSignal } from "./leftovers.ts";

/*
 * A postmaster and its children. Each child has a session of its own, so that no signal to a group
 * reaches all of them.
 */

const POLL_MS = 2;

/** Stops them where they are: the postmaster first, so that it has no more children meanwhile. */
export async function pauseTree(postmaster: number): Promise<void> {
  sendSignal(postmaster, "SIGSTOP");
  await until(async () => (await stateOf([postmaster])).every(isStopped));
  const children = await childrenOf(postmaster);
  for (const child of children) sendSignal(child, "SIGSTOP");
  await until(async () => (await stateOf(children)).every(isStopped));
}

/** Lets them go on. */
export async function resumeTree(postmaster: number): Promise<void> {
  for (const child of await childrenOf(postmaster)) sendSignal(child, "SIGCONT");
  sendSignal(postmaster, "SIGCONT");
}

/** Ends them at once, in the middle of whatever they do. */
export async function killTree(postmaster: number): Promise<void> {
  await pauseTree(postmaster);
  const all = [...(await childrenOf(postmaster)), postmaster];
  for (const pid of all) sendSignal(pid, "SIGKILL");
  await until(async () => (await stateOf(all)).length === 0);
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  /** A letter, as `ps` has it. */
  readonly state: string;
}

const isStopped = ({ state }: Process): boolean => state.startsWith("T");

async function childrenOf(postmaster: number): Promise<number[]> {
  return (await living()).filter(({ parent }) => parent === postmaster).map(({ pid }) => pid);
}

async function stateOf(pids: readonly number[]): Promise<Process[]> {
  return (await living()).filter(({ pid }) => pids.includes(pid));
}

/** All processes that have not ended, whoever has still to hear of their end. */
async function living(): Promise<Process[]> {
  const all = platform() === "linux" ? await fromProc() : await fromPs();
  return all.filter(({ state }) => !/^[ZX]/.test(state));
}

async function fromProc(): Promise<Process[]> {
  const pids = (await readdir("/proc")).filter((name) => /^\d+$/.test(name));
  const stats = pids.map((pid) => readFile(`/proc/${pid}/stat`, "utf8").catch(() => ""));
  return (await Promise.all(stats)).flatMap((stat) => {
    // The second field is a name in parentheses, which may hold anything.
    const [state, parent] = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    if (state === undefined || parent === undefined) return [];
    return { pid: Number.parseInt(stat, 10), parent: Number(parent), state };
  });
}

async function fromPs(): Promise<Process[]> {
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
