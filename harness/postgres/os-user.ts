import { spawn } from "node:child_process";
import { readFile, stat } from "node:fs/promises";
import { dirname, resolve } from "node:path";
import { HarnessError } from "../core/error.ts";

/** A user of the operating system. */
export interface OsUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

const UNPRIVILEGED = ["nobody", "postgres", "_postgres", "daemon"];

/**
 * The OS user that a Postgres of Heddle's runs as; undefined for the user of this process. Postgres
 * refuses to run as root, so root uses the first of `UNPRIVILEGED` that exists. No user is created.
 * @throws HarnessError PROVIDER_FAILED when none of them exists.
 */
export async function serverUser(): Promise<OsUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const passwd = "/etc/passwd";
  const user = firstUnprivileged(await readFile(passwd, "utf8").catch(() => ""));
  if (user !== undefined) return user;
  throw new HarnessError(
    "PROVIDER_FAILED",
    `Postgres refuses to run as root, and ${passwd} has none of the users ${UNPRIVILEGED.join(", ")}: run Heddle as an ordinary user, add one of them, or use another server (--postgres URL).`,
  );
}

/** The first of `UNPRIVILEGED` in the text of a passwd file that is not root. */
export function firstUnprivileged(passwd: string): OsUser | undefined {
  const users = passwd.split("\n").map((line) => line.split(":"));
  for (const name of UNPRIVILEGED) {
    const fields = users.find((user) => user[0] === name);
    const uid = Number(fields?.[2]);
    const gid = Number(fields?.[3]);
    if (uid > 0 && gid > 0) return { name, uid, gid };
  }
  return undefined;
}

/** Whether the permission bits let `user` read a file and enter the folders above it. */
export async function mayRead(user: OsUser, path: string): Promise<boolean> {
  const file = resolve(path);
  return permits(user, await stat(file), 0o4) && (await mayEnter(user, dirname(file)));
}

/** Whether the permission bits let `user` enter a folder and those above it. */
export async function mayEnter(user: OsUser, path: string): Promise<boolean> {
  const folder = resolve(path);
  if (!permits(user, await stat(folder), 0o1)) return false;
  return folder === dirname(folder) || mayEnter(user, dirname(folder));
}

function permits(
  user: OsUser,
  file: { readonly uid: number; readonly gid: number; readonly mode: number },
  bits: number,
): boolean {
  const shift = file.uid === user.uid ? 6 : file.gid === user.gid ? 3 : 0;
  return ((file.mode >> shift) & bits) === bits;
}

/**
 * Runs a program to its end.
 * @param user undefined for the user of this process.
 * @param onStart called with the process id.
 * @throws HarnessError PROVIDER_FAILED with the program's output when it fails or cannot be started.
 */
export async function runAs(
  user: OsUser | undefined,
  program: string,
  args: readonly string[],
  onStart?: (pid: number) => void,
): Promise<void> {
  const child = spawn(program, args, {
    ...spawnOptionsFor(user),
    // The user may not be able to enter the current folder.
    cwd: "/",
    stdio: ["ignore", "pipe", "pipe"],
    // In a session of its own: a Ctrl-C at the terminal must reach this process only.
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
      `${program} failed: ${ended}. Its output: ${output.join("").trim().slice(-2000) || "none"}`,
    );
  }
}

/** The error for a missing program is the same as for one whose loader (glibc) is missing. */
function missing(error: NodeJS.ErrnoException): string {
  return error.code === "ENOENT"
    ? " (or it needs glibc, which Alpine Linux, for example, does not have)"
    : "";
}

/** Options of `spawn` for a program of `user`, with the few environment variables that it needs. */
export function spawnOptionsFor(user: OsUser | undefined): {
  readonly uid?: number;
  readonly gid?: number;
  readonly env: NodeJS.ProcessEnv;
} {
  const { PATH, SystemRoot } = process.env;
  const env: NodeJS.ProcessEnv = { LC_ALL: "C", PATH, ...(SystemRoot && { SystemRoot }) };
  return user === undefined ? { env } : { uid: user.uid, gid: user.gid, env };
}
