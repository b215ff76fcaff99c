import { spawn } from "node:child_process";
import { HarnessError } from "../core/error.ts";
import type { OsUser } from "./os-user.ts";

/** Runs a program as `account` (undefined: our own) to its end; its output is part of the error. */
export async function run(
  account: OsUser | undefined,
  program: string,
  args: readonly string[],
  onStart?: (pid: number) => void,
): Promise<void> {
  const child = spawn(program, args, {
    ...credentials(account),
    // The current folder may be closed to the account.
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    // Out of the terminal's foreground, so that a Ctrl-C is ours alone to handle.
    detached: true,
    windowsHide: true,
  });
  if (child.pid !== undefined) onStart?.(child.pid);
  const output: string[] = [];
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => output.push(text));
  }
  const ended = await new Promise<string | undefined>((resolve) => {
    child.once("error", (error) => resolve(`${error.message}${missing(error)}`));
    child.once("close", (code, signal) =>
      resolve(code === 0 ? undefined : `it ended with ${signal ?? `exit code ${code}`}`),
    );
  });
  if (ended !== undefined) {
    throw new HarnessError(
      "PROVIDER_FAILED",
      `${program} failed: ${ended}. What it said: ${output.join("").trim().slice(-2000) || "nothing"}`,
    );
  }
}

/** The system says the same of a program that is not there and of one whose loader is not. */
function missing(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT"
    ? " (or it needs glibc, which Alpine, for one, does not have)"
    : "";
}

/** Options of `spawn` for running as `account`, with nothing of our environment but what it needs. */
export function credentials(account: OsUser | undefined): {
  readonly uid?: number;
  readonly gid?: number;
  readonly env: NodeJS.ProcessEnv;
} {
  const { PATH, SystemRoot } = process.env;
  const env: NodeJS.ProcessEnv = { LC_ALL: "C", PATH, ...(SystemRoot && { SystemRoot }) };
  return account === undefined ? { env } : { uid: account.uid, gid: account.gid, env };
}
