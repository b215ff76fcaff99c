import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startServer } from "./provider.ts";

/** The line that a harness prints when its server has started. */
interface StartedHarness {
  readonly folder: string;
  readonly description: string;
  readonly url: string;
  readonly database: string;
  readonly user: number;
}

/**
 * A process that starts a server, leases a database, prints both, and stops the server when its standard
 * input ends.
 */
export interface HarnessProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Resolves when the server has started. Rejects with the standard error if the process ends before. */
  readonly started: Promise<StartedHarness>;
  /** Resolves with the exit code or the signal when the process has ended. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** The standard error. */
  stderr(): string;
}

export function startHarness(
  choice: string,
  options: {
    env?: NodeJS.ProcessEnv;
    uid?: number;
    gid?: number;
    program?: string;
    reuse?: boolean;
  } = {},
): HarnessProcess {
  const { program = fileURLToPath(import.meta.url), env, reuse, ...ids } = options;
  const child = spawn(process.execPath, [program, choice, ...(reuse ? ["--reuse"] : [])], {
    ...ids,
    cwd: "/",
    env: { PATH: process.env["PATH"], ...env },
    stdio: ["pipe", "pipe", "pipe"],
  });
  let stderr = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    stderr += text;
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? -1));
  });
  const started = new Promise<StartedHarness>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line)));
    void ended.then((code) => reject(new Error(`ended with ${code}: ${stderr}`)));
  });
  started.catch(() => {});
  if (child.pid === undefined) throw new Error("not started");
  return { child, pid: child.pid, started, ended, stderr: () => stderr };
}

interface ListedProcess {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
}

/** All processes of the machine except zombies. */
export function processes(): ListedProcess[] {
  const columns = ["-o", "pid=", "-o", "ppid=", "-o", "pgid=", "-o", "stat=", "-o", "command="];
  const lines = execFileSync("ps", ["-ww", "-A", ...columns], { encoding: "utf8" });
  return lines.split("\n").flatMap((line) => {
    const [pid, parent, group, state = "Z", ...command] = line.trim().split(/ +/);
    if (state.startsWith("Z")) return [];
    return {
      pid: Number(pid),
      parent: Number(parent),
      group: Number(group),
      command: command.join(" "),
    };
  });
}

/** The process id of a harness's reaper. */
export function reaperOf(harness: number): number {
  const found = processes().find(
    (p) => p.parent === harness && /reaper-process\.[tj]s$/.test(p.command),
  );
  if (found === undefined) throw new Error(`${harness} has no reaper`);
  return found.pid;
}

if (import.meta.filename === process.argv[1]) {
  const [choice = "", ...flags] = process.argv.slice(2);
  const server = await startServer(choice, { reuse: flags.includes("--reuse") });
  const { url, name: database } = await server.lease();
  const user = process.getuid?.() ?? -1;
  const { folder, description } = server;
  process.stdout.write(`${JSON.stringify({ folder, description, url, database, user })}\n`);
  process.stdin.resume().once("end", () => void server.stop());
}
