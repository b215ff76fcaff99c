import { type ChildProcess, execFile, type SpawnOptions, spawn } from "node:child_process";

/**
 * Kills process groups once its standard input has ended, which happens even when Heddle is killed.
 * Each line that it reads lists the groups, and replaces the line before.
 */
const GUARD = `while read -r line; do groups=$line; done
for group in $groups; do kill -s KILL -- "-$group"; done`;

const groups = new Set<number>();
let guard: ChildProcess | undefined;

/** The options with which a program is started in a process group of its own. */
export const OWN_GROUP: Pick<SpawnOptions, "detached" | "windowsHide"> = {
  detached: process.platform !== "win32",
  windowsHide: true,
};

/** Has the group of the program killed when Heddle ends before it called `killGroup`. */
export function guardGroup({ pid }: ChildProcess): void {
  if (pid === undefined || process.platform === "win32") return;
  groups.add(pid);
  guard ??= startGuard();
  tellGuard();
}

/** Kills a program and all that it has started. Each may have ended already. */
export function killGroup({ pid }: ChildProcess): void {
  if (pid === undefined) return;
  if (process.platform === "win32") {
    execFile("taskkill", ["/pid", String(pid), "/t", "/f"], () => {});
    return;
  }
  try {
    process.kill(-pid, "SIGKILL");
  } catch (error) {
    // macOS reports EPERM for a group in which only zombies are left.
    const { code } = error as NodeJS.ErrnoException;
    if (code !== "ESRCH" && code !== "EPERM") throw error;
  }
  if (groups.delete(pid)) tellGuard();
}

function startGuard(): ChildProcess {
  const child = spawn("sh", ["-c", GUARD], {
    ...OWN_GROUP,
    cwd: "/",
    stdio: ["pipe", "ignore", "ignore"],
  });
  // Without a guard the run goes on: only a crash of Heddle then leaves processes.
  child.on("error", () => {});
  child.stdin?.on("error", () => {});
  child.unref();
  return child;
}

function tellGuard(): void {
  guard?.stdin?.write(`${[...groups].join(" ")}\n`);
}
