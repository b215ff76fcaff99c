import { spawn } from "node:child_process";
import { createWriteStream } from "node:fs";
import { fileURLToPath } from "node:url";
import { HarnessError } from "../core/error.ts";
import { type PreloadOptions, preloadEnv } from "./preload-channel.ts";
import { guardGroup, killGroup, OWN_GROUP } from "./process-group.ts";
import type { Outcome, Program } from "./scenario-definition.ts";

/** Longer output is cut at its beginning. */
const MAX_OUTPUT_CHARACTERS = 10_000;

/** A program that was started. */
export interface RunningProgram {
  /** Kills the program and every process that it has started. */
  kill(): void;
  /**
   * Resolves when the program has ended: `EXIT_<code>` or a signal, and its output. Rejects with
   * HarnessError `USAGE` if it cannot be started.
   */
  readonly ended: Promise<{
    readonly code: string;
    readonly stdout: string;
    readonly stderr: string;
  }>;
  /** The standard error until now. */
  stderr(): string;
  /** Keeps what it prints from now on out of the log. */
  mute(): void;
}

/** What a program is started with. */
export interface ProgramContext {
  readonly url: string;
  /** The scenario file. */
  readonly file: URL;
  readonly signal: AbortSignal;
  /** The path of a file to which its standard error is added. Default: none. */
  readonly log?: string | undefined;
  /** What is done in it if it runs on Node. Default: nothing. */
  readonly preload?: PreloadOptions;
}

/**
 * Starts a program in the folder of `file`, with the environment for the database at `url`. It has a
 * process group of its own, which is killed when `signal` is aborted, when the program has ended, and
 * when Heddle has ended.
 */
export function startProgram(
  { exec: [name, ...args], env }: Program,
  { url, file, signal, log, preload }: ProgramContext,
  extraEnv: NodeJS.ProcessEnv = {},
): RunningProgram {
  const child = spawn(name, args, {
    cwd: fileURLToPath(new URL(".", file)),
    env: {
      ...{ ...process.env, ...databaseEnv(url), ...extraEnv, ...env },
      ...(preload && preloadEnv(preload, env?.["NODE_OPTIONS"] ?? process.env["NODE_OPTIONS"])),
    },
    stdio: ["ignore", "pipe", "pipe"],
    ...OWN_GROUP,
  });
  guardGroup(child);
  const kill = () => killGroup(child);
  if (signal.aborted) kill();
  else signal.addEventListener("abort", kill, { once: true });
  const texts = { stdout: "", stderr: "" };
  for (const stream of ["stdout", "stderr"] as const) {
    child[stream].setEncoding("utf8").on("data", (text: string) => {
      texts[stream] = (texts[stream] + text).slice(-MAX_OUTPUT_CHARACTERS);
    });
  }
  let mute = () => {};
  if (log !== undefined) {
    const file = createWriteStream(log, { flags: "a", mode: 0o600 });
    // Without the file the run goes on.
    file.on("error", () => {});
    child.stderr.pipe(file);
    mute = () => child.stderr.unpipe(file);
  }
  const ended = new Promise<Awaited<RunningProgram["ended"]>>((resolve, reject) => {
    child.once("error", (cause) => {
      const message = `the program ${name} cannot be started: ${cause.message}`;
      reject(new HarnessError("USAGE", message, { cause }));
    });
    child.once("close", (code, killed) => {
      signal.removeEventListener("abort", kill);
      kill();
      resolve({ code: code === null ? String(killed) : `EXIT_${code}`, ...texts });
    });
  });
  return { kill, ended, stderr: () => texts.stderr.trim(), mute };
}

/** Waits for the end of a program. Its answer is its standard output. */
export async function outcomeOfProgram({ ended }: RunningProgram): Promise<Outcome> {
  const { code, stdout, stderr } = await ended;
  if (code === "EXIT_0") return { value: stdout.trim() };
  return { error: code, message: stderr.trim() };
}

/** Environment variables for libpq (https://www.postgresql.org/docs/current/libpq-envars.html). */
function databaseEnv(url: string): NodeJS.ProcessEnv {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    DATABASE_URL: url,
    // Its drivers take no user in the address.
    JDBC_DATABASE_URL: `jdbc:postgresql://${hostname}:${port}${pathname}?user=${username}&password=${password}`,
    PGHOST: hostname,
    PGPORT: port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGOPTIONS: undefined,
    PGSERVICE: undefined,
    // The proxy is on this machine; a program that requires TLS gets a certificate of the proxy.
    PGSSLMODE: "disable",
    // The user's own psql settings are not part of the scenario.
    PSQLRC: "/dev/null",
  };
}
