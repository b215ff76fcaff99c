import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { chmod, chown, mkdir, readdir, stat, statfs } from "node:fs/promises";
import { connect, createServer, type Server as NetServer, type Server } from "node:net";
import { platform, tmpdir } from "node:os";
import { basename, join } from "node:path";
import { HarnessError } from "../core/error.ts";
import { removeLeftover } from "./leftovers.ts";
import { mayEnter, type OsUser } from "./os-user.ts";
import { Reaper } from "./reaper.ts";

const PREFIX = "heddle-pg-";
/** What `sun_path` holds, less the terminating zero: 104 bytes on macOS, 108 on Linux. */
const SOCKET_PATH_BYTES = 103;
const SOCKET = join(`${PREFIX}01234567`, "data", ".s.PGSQL.5432");
const TMPFS = 0x01021994;
const ROOM_BYTES = 1024 ** 3;

/**
 * The folder of one server, and whoever removes it: we, when the server stops; the reaper, when we
 * are killed; the next start, when the reaper was killed too.
 */
export class RunFolder {
  readonly path: string;
  readonly reaper: Reaper;
  readonly #owner: NetServer;

  private constructor(path: string, reaper: Reaper, owner: NetServer) {
    this.path = path;
    this.reaper = reaper;
    this.#owner = owner;
  }

  /** @param account the account that the server runs as; undefined: our own. */
  static async open(account: OsUser | undefined): Promise<RunFolder> {
    const path = join(await baseFolder(account), `${PREFIX}${randomBytes(4).toString("hex")}`);
    const reaper = new Reaper();
    reaper.watch({ folder: path });
    try {
      await mkdir(path, { mode: 0o700 });
      const run = new RunFolder(path, reaper, await lockFolder(path));
      await mkdir(run.data, { mode: 0o700 });
      await mkdir(run.own, { mode: 0o700 });
      if (account !== undefined) {
        await chown(run.data, account.uid, account.gid);
        await chmod(path, 0o711);
      }
      return run;
    } catch (error) {
      // Somebody else's, by chance.
      if ((error as NodeJS.ErrnoException).code === "EEXIST") reaper.forget(path);
      await reaper.dismiss();
      throw error;
    }
  }

  /** For the server's files and its socket; only the account that it runs as may enter. */
  get data(): string {
    return join(this.path, "data");
  }

  /** For our own files; only we may enter. */
  get own(): string {
    return join(this.path, "own");
  }

  /** Ends the server, if it runs, and removes the folder. */
  async close(): Promise<void> {
    try {
      await removeLeftover({ folder: this.path });
      this.reaper.forget(this.path);
    } finally {
      this.#owner.close();
      await this.reaper.dismiss();
    }
  }
}

/**
 * Where run folders go: TMPDIR if that is set, else memory (/dev/shm) if there is room, since
 * there the many small files of a new cluster and of new databases cost a fraction; else the
 * system's folder for temporary files. (systemd removes what a user has in /dev/shm when their
 * last session ends: who lets Heddle run on after that sets TMPDIR.)
 */
export async function baseFolder(account: OsUser | undefined): Promise<string> {
  const folders = await candidates();
  for (const folder of folders) {
    if (!fitsSocket(folder)) continue;
    const enter = account === undefined || (await mayEnter(account, folder).catch(() => false));
    if (enter) return folder;
  }
  throw new HarnessError(
    "PROVIDER_FAILED",
    `A socket below ${folders.join(" or ")} would have too long a path, or cannot be reached by the account ${account?.name ?? "of Heddle"}: set TMPDIR to a short path that it can enter.`,
  );
}

async function candidates(): Promise<string[]> {
  const memory = process.env["TMPDIR"] || !(await hasRoom("/dev/shm")) ? [] : ["/dev/shm"];
  return [...new Set([...memory, tmpdir(), ...(platform() === "win32" ? [] : ["/tmp"])])];
}

export function fitsSocket(base: string): boolean {
  return platform() === "win32" || Buffer.byteLength(join(base, SOCKET)) <= SOCKET_PATH_BYTES;
}

async function hasRoom(folder: string): Promise<boolean> {
  const space = await statfs(folder).catch(() => undefined);
  return space?.type === TMPFS && space.bavail * space.bsize >= ROOM_BYTES;
}

/** Clears the run folders of this user whose owners are gone. */
export async function sweepRunFolders(): Promise<void> {
  for (const base of new Set(["/dev/shm", "/tmp", tmpdir()])) {
    for (const name of await readdir(base).catch(() => [])) {
      if (name.startsWith(PREFIX)) await sweep(join(base, name));
    }
  }
}

async function sweep(folder: string): Promise<void> {
  const uid = (await stat(folder).catch(() => undefined))?.uid;
  if (uid === (process.getuid?.() ?? uid) && (await isAbandoned(folder)))
    await removeLeftover({ folder });
}

/**
 * Marks a folder as in use by a living process: the process listens on a socket there. The kernel
 * refuses connections to it from the moment the process is gone, however it went; so, unlike a
 * process id, it is never stale, never reused, and means the same in every container that sees
 * the folder.
 */
export async function lockFolder(folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen(address(folder)).unref();
  await once(server, "listening");
  return server;
}

const UNCLAIMED_MS = 10 * 60 * 1000;

/** Whether the folder's owner is gone. False where that cannot be told. */
export async function isAbandoned(folder: string, now = Date.now()): Promise<boolean> {
  const socket = connect(address(folder));
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") return true;
    if (code !== "ENOENT") return false;
    // Its owner died before it could claim the folder, or is about to.
    const made = await stat(folder).catch(() => undefined);
    return made !== undefined && now - made.mtimeMs > UNCLAIMED_MS;
  } finally {
    socket.destroy();
  }
}

function address(folder: string): string {
  if (platform() === "win32") return `\\\\.\\pipe\\${basename(folder)}`;
  return join(folder, "owner");
}
