import { randomBytes } from "node:crypto";
import { constants } from "node:fs";
import { access, mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { homedir, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { HarnessError } from "../core/error.ts";
import { mayEnter, type OsUser } from "./os-user.ts";

/**
 * The folder that keeps what is made once: `heddle` below XDG_CACHE_HOME, if that is set; else
 * `/var/cache/heddle` for root, `~/.cache/heddle` for others; and a folder of the user's own below
 * the one for temporary files where that cannot be written.
 * @param account has to be able to enter it too.
 */
export async function cacheFolder(account: OsUser | undefined): Promise<string> {
  const uid = process.getuid?.();
  const usual = uid === 0 ? "/var/cache" : join(homedir(), ".cache");
  const candidates = [
    // Programs that are in other folders are told of it.
    resolve(process.env["XDG_CACHE_HOME"] || usual, "heddle"),
    join(tmpdir(), `heddle-cache-${uid ?? "user"}`),
  ];
  for (const folder of candidates) {
    if (!(await isOurs(folder, uid))) continue;
    if (account === undefined || (await mayEnter(account, folder))) return folder;
  }
  throw new HarnessError(
    "PROVIDER_FAILED",
    `Neither ${candidates.join(" nor ")} can be used: set XDG_CACHE_HOME to a folder that only ${uid === 0 ? "root" : "this user"} can write${account ? `, and that ${account.name} can enter` : ""}.`,
  );
}

async function isOurs(folder: string, uid: number | undefined): Promise<boolean> {
  try {
    await mkdir(folder, { recursive: true, mode: 0o755 });
    await access(folder, constants.W_OK);
    const info = await stat(folder);
    // What others could have put there must not be run.
    return uid === undefined || (info.uid === uid && (info.mode & 0o022) === 0);
  } catch {
    return false;
  }
}

/**
 * Returns `folder`, which `build` fills when it does not exist yet. Several processes may do so at
 * once: each builds in a folder of its own, and the first to finish wins.
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

/** Removes drafts whose builder died: a draft takes seconds, so one that is an hour old. */
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
