import { type ChildProcess, execFileSync, spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { startServer } from "./provider.ts";

interface Started {
  readonly folder: string;
  readonly description: string;
  readonly url: string;
  readonly database: string;
  readonly user: number;
}

/**
 * A harness in a process of its own: it starts a server, leases a database, says so, and stops the
 * server when its input ends.
 */
export interface HarnessProcess {
  readonly child: ChildProcess;
  readonly pid: number;
  /** Settles when the server runs: what it says of it. */
  readonly started: Promise<Started>;
  /** Settles when the process has ended: its exit code or the signal. */
  readonly ended: Promise<number | NodeJS.Signals>;
  /** What it wrote on its standard error. */
  said(): string;
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
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text: string) => {
    said += text;
  });
  const ended = new Promise<number | NodeJS.Signals>((resolve) => {
    child.once("close", (code, signal) => resolve(code ?? signal ?? -1));
  });
  const started = new Promise<Started>((resolve, reject) => {
    createInterface({ input: child.stdout }).once("line", (line) => resolve(JSON.parse(line)));
    void ended.then((code) => reject(new Error(`ended with ${code}: ${said}`)));
  });
  started.catch(() => {});
  if (child.pid === undefined) throw new Error("not started");
  return { child, pid: child.pid, started, ended, said: () => said };
}

interface Process {
  readonly pid: number;
  readonly parent: number;
  readonly group: number;
  readonly command: string;
}

/** Every process of the machine that has not ended. */
export function processes(): Process[] {
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

/** The process id of the reaper that belongs to a harness. */
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
