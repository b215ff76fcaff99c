import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HarnessError } from "../core/error.ts";
import { mayEnter, type OsUser } from "./os-user.ts";

/**
 * The cache folder: `heddle` below XDG_CACHE_HOME if that is set, else `/var/cache/heddle` for root and
 * `~/.cache/heddle` for other users. If it cannot be used, a folder of this user below the folder for
 * temporary files.
 * @param user an OS user who must be able to enter the folder too.
 * @throws HarnessError PROVIDER_FAILED when neither folder can be used.
 */
export async function cacheFolder(user: OsUser | undefined): Promise<string> {
  const uid = process.getuid?.();
  const base = uid === 0 ? "/var/cache" : join(homedir(), ".cache");
  const candidates = [
    // Absolute, since it is passed to programs with other working directories.
    resolve(process.env["XDG_CACHE_HOME"] || base, "heddle"),
    join(tmpdir(), `heddle-cache-${uid ?? "user"}`),
  ];
  for (const folder of candidates) {
    if (!(await isPrivate(folder, uid))) continue;
    if (user === undefined || (await mayEnter(user, folder))) return folder;
  }
  throw new HarnessError(
    "PROVIDER_FAILED",
    `Neither ${candidates.join(" nor ")} can be used: set XDG_CACHE_HOME to a folder that only ${uid === 0 ? "root" : "this user"} can write${user ? `, and that ${user.name} can enter` : ""}.`,
  );
}

async function isPrivate(folder: string, uid: number | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await access(folder, constants.W_OK);
    const info = await stat(folder);
    // Other users must not be able to replace the programs that this process executes.
    return uid === undefined || (info.uid === uid && (info.mode & 0o022) === 0);
  } catch {
    return false;
  }
}

/**
 * Returns `folder`; if it does not exist, calls `build` to fill it. Several processes may build at the
 * same time: each fills a draft, and the first to finish renames its draft to `folder`.
 */
export async function buildOnce(
  folder: string,
  build: (folder: string) => Promise<void>,
): Promise<string> {
  if (await exists(folder)) return folder;
  const draft = `${folder}.${DRAFT}${randomBytes(4).toString("hex")}`;
  try {
    await mkdir(draft, { mode: 0o755 });
    await build(draft);
    await rename(draft, folder).catch(async (error: unknown) => {
      if (!(await exists(folder))) throw error;
    });
  } finally {
    await rm(draft, { recursive: true, force: true });
  }
  return folder;
}

const DRAFT = "draft-";
const ABANDONED_MS = 60 * 60 * 1000;

/** Removes drafts that are an hour old: a build takes seconds, so their builders have died. */
export async function sweepDrafts(cache: string, now = Date.now()): Promise<void> {
  for (const name of await readdir(cache).catch(() => [])) {
    if (!name.includes(`.${DRAFT}`)) continue;
    const draft = join(cache, name);
    const changed = await stat(draft).then(
      (info) => info.mtimeMs,
      () => now,
    );
    if (now - changed > ABANDONED_MS) await rm(draft, { recursive: true, force: true });
  }
}

export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}
