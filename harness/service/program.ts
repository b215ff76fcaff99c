import { type ChildProcess, spawn } from "node:child_process";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import type { Outcome, Program } from "./scenario-definition.ts";

/** How much of what a program says is kept, in characters: the end. */
const KEPT = 10_000;

export interface Running {
  readonly process: ChildProcess;
  /** How it ended, and what it has said. Rejects with HarnessError `USAGE` if it cannot be started. */
  readonly ended: Promise<{
    readonly code: string;
    readonly stdout: string;
    readonly stderr: string;
  }>;
  /** What it has said on stderr until now. */
  said(): string;
}

/** Starts a program whose database is at `url`, in the folder of `file`. */
export function startProgram(
  { exec: [name, ...args], env }: Program,
  { url, file, signal }: { readonly url: string; readonly file: URL; readonly signal: AbortSignal },
  more: NodeJS.ProcessEnv = {},
): Running {
  const child = spawn(name, args, {
    cwd: fileURLToPath(new URL(".", file)),
    env: { ...process.env, ...libpq(url), ...more, ...env },
    stdio: ["ignore", "pipe", "pipe"],
    signal,
    killSignal: "SIGKILL",
  });
  const texts = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      texts[stream] = (texts[stream] + text).slice(-KEPT);
    });
  }
  const ended = new Promise<Awaited<Running["ended"]>>((resolve, reject) => {
    child.once("error", (cause) => {
      if (signal.aborted) return;
      const message = `${name} cannot be started: ${cause.message}`;
      reject(new HarnessError("USAGE", message, { cause }));
    });
    child.once("close", (code, killed) => {
      resolve({ code: code === null ? String(killed) : `EXIT_${code}`, ...texts });
    });
  });
  return { process: child, ended, said: () => texts.stderr.trim() };
}

/** The answer of a program is what it prints. */
export async function outcomeOfProgram({ ended }: Running): Promise<Outcome> {
  const { code, stdout, stderr } = await ended;
  if (code === "EXIT_0") return { value: stdout.trim() };
  return { error: code, message: stderr.trim() };
}

/** https://www.postgresql.org/docs/current/libpq-envars.html */
function libpq(url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    DATABASE_URL: url,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGOPTIONS: undefined,
    PGSERVICE: undefined,
    // On one machine; a program that asks for more gets a certificate of this process.
    PGSSLMODE: "disable",
    // What a user has set for their own sessions is no part of the scenario.
    PSQLRC: "/dev/null",
  };
}
