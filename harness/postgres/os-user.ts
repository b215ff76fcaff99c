import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { HarnessError } from "../core/error.ts";

/** An account of the operating system. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const UNPRIVILEGED = ["nobody", "postgres", "_postgres", "daemon"];

/**
 * The account that a Postgres of ours runs as: undefined for our own. Postgres refuses to run as
 * root, so there it is the first unprivileged account that exists; none is ever created.
 */
export async function serverUser(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = "/etc/passwd";
  const account = firstUnprivileged(await readFile(passwd, "utf8").catch(() => ""));
  if (account !== undefined) return account;
  throw new HarnessError(
    "PROVIDER_FAILED",
    `Postgres refuses to run as root, and ${passwd} has none of the accounts ${UNPRIVILEGED.join(", ")} to run it as: run Heddle as an ordinary user, add one of them, or use another server (--postgres URL).`,
  );
}

export function firstUnprivileged(passwd: string): OsUser | undefined {
  const accounts = passwd.split("\n").map((line) => line.split(":"));
  for (const name of UNPRIVILEGED) {
    const fields = accounts.find((account) => account[0] === name);
    const uid = Number(fields?.[2]);
    const gid = Number(fields?.[3]);
    if (uid > 0 && gid > 0) return { name, uid, gid };
  }
  return undefined;
}

/** Whether `account` may read `path` and what leads to it, by the permission bits. */
export async function mayRead(account: OsUser, path: string): Promise<boolean> {
  const file = resolve(path);
  return permits(account, await stat(file), 0o4) && (await mayEnter(account, dirname(file)));
}

/** Whether `account` may enter a folder, by the permission bits of it and of those above it. */
export async function mayEnter(account: OsUser, path: string): Promise<boolean> {
  const folder = resolve(path);
  if (!permits(account, await stat(folder), 0o1)) return false;
  return folder === dirname(folder) || mayEnter(account, dirname(folder));
}

function permits(
  account: OsUser,
  file: { readonly uid: number; readonly gid: number; readonly mode: number },
  bits: number,
): boolean {
  const shift = file.uid === account.uid ? 6 : file.gid === account.gid ? 3 : 0;
  return ((file.mode >> shift) & bits) === bits;
}

/** Runs a program as `account` (undefined: our own) to its end; its output is part of the error. */
export async function runAs(
  account: OsUser | undefined,
  program: string,
  args: readonly string[],
  onStart?: (pid: number) => void,
): Promise<void> {
  const child = spawn(program, args, {
    ...spawnOptionsFor(account),
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
export function spawnOptionsFor(account: OsUser | undefined): {
  readonly uid?: number;
  readonly gid?: number;
  readonly env: NodeJS.ProcessEnv;
} {
  const { PATH, SystemRoot } = process.env;
  const env: NodeJS.ProcessEnv = { LC_ALL: "C", PATH, ...(SystemRoot && { SystemRoot }) };
  return account === undefined ? { env } : { uid: account.uid, gid: account.gid, env };
}
