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
/** The size of `sun_path` without the terminating zero: 104 bytes on macOS, 108 on Linux. */
const SOCKET_PATH_BYTES = 103;
const SOCKET = join(`${PREFIX}01234567`, "data", ".s.PGSQL.5432");
/** The type of a file system in memory, and the free space that it must have. */
const TMPFS = 0x01021994;
const FREE_BYTES = 1024 ** 3;

/**
 * The folder of one server. It is removed when the server stops; by the reaper if this process is killed;
 * or by the next start if the reaper is killed too.
 */
export class RunFolder {
  readonly path: string;
  readonly reaper: Reaper;
  readonly #lock: NetServer;

  private constructor(path: string, reaper: Reaper, lock: NetServer) {
    this.path = path;
    this.reaper = reaper;
    this.#lock = lock;
  }

  /** @param user the OS user of the server; undefined for the user of this process. */
  static async open(user: OsUser | undefined): Promise<RunFolder> {
    const path = join(await baseFolder(user), `${PREFIX}${randomBytes(4).toString("hex")}`);
    const reaper = new Reaper();
    reaper.watch({ folder: path });
    try {
      await mkdir(path, { mode: 0o700 });
      const run = new RunFolder(path, reaper, await lockFolder(path));
      await mkdir(run.data, { mode: 0o700 });
      await mkdir(run.harnessFolder, { mode: 0o700 });
      if (user !== undefined) {
        await chown(run.data, user.uid, user.gid);
        await chmod(path, 0o711);
      }
      return run;
    } catch (error) {
      // By chance, the folder is that of another process.
      if ((error as NodeJS.ErrnoException).code === "EEXIST") reaper.forget(path);
      await reaper.dismiss();
      throw error;
    }
  }

  /** The server's files and its socket. Only the OS user of the server may enter. */
  get data(): string {
    return join(this.path, "data");
  }

  /** The harness's files. Only the user of this process may enter. */
  get harnessFolder(): string {
    return join(this.path, "own");
  }

  /** Ends the server if it is running, and removes the folder. */
  async close(): Promise<void> {
    try {
      await removeLeftover({ folder: this.path });
      this.reaper.forget(this.path);
    } finally {
      this.#lock.close();
      await this.reaper.dismiss();
    }
  }
}

/**
 * The folder of run folders: TMPDIR if that is set; else /dev/shm if it has enough free memory, where the
 * many small files of new clusters and databases cost a fraction; else the folder for temporary files.
 * systemd removes a user's files in /dev/shm when the last session of the user ends: set TMPDIR to run
 * Heddle beyond that.
 * @throws HarnessError PROVIDER_FAILED when none of them can be used.
 */
export async function baseFolder(user: OsUser | undefined): Promise<string> {
  const folders = await candidates();
  for (const folder of folders) {
    if (!fitsSocket(folder)) continue;
    const enter = user === undefined || (await mayEnter(user, folder).catch(() => false));
    if (enter) return folder;
  }
  throw new HarnessError(
    "PROVIDER_FAILED",
    `The path of a socket below ${folders.join(" or ")} would be too long, or the user ${user?.name ?? "of Heddle"} cannot enter the folder: set TMPDIR to a short path that this user can enter.`,
  );
}

async function candidates(): Promise<string[]> {
  const memory = process.env["TMPDIR"] || !(await hasFreeMemory("/dev/shm")) ? [] : ["/dev/shm"];
  return [...new Set([...memory, tmpdir(), ...(platform() === "win32" ? [] : ["/tmp"])])];
}

/** Whether the path of a socket in a run folder below `base` is short enough. */
export function fitsSocket(base: string): boolean {
  return platform() === "win32" || Buffer.byteLength(join(base, SOCKET)) <= SOCKET_PATH_BYTES;
}

async function hasFreeMemory(folder: string): Promise<boolean> {
  const space = await statfs(folder).catch(() => undefined);
  return space?.type === TMPFS && space.bavail * space.bsize >= FREE_BYTES;
}

/** Removes the abandoned run folders of this user. */
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
 * Locks a folder as long as this process lives, by listening on a socket in it. As soon as the process
 * has ended in any way, the kernel refuses connections to the socket. Unlike a process id, the lock is
 * never stale or reused, and is valid in every container that sees the folder.
 */
export async function lockFolder(folder: string): Promise<Server> {
  const server = createServer((socket) => socket.destroy());
  server.listen(lockAddress(folder)).unref();
  await once(server, "listening");
  return server;
}

/** A folder without a lock counts as abandoned after this time. */
const UNLOCKED_MS = 10 * 60 * 1000;

/** Whether the process that locked the folder has ended. False if that is unknown. */
export async function isAbandoned(folder: string, now = Date.now()): Promise<boolean> {
  const socket = connect(lockAddress(folder));
  try {
    await once(socket, "connect");
    return false;
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ECONNREFUSED") return true;
    if (code !== "ENOENT") return false;
    // The process died before it could lock the folder, or is about to lock it.
    const created = await stat(folder).catch(() => undefined);
    return created !== undefined && now - created.mtimeMs > UNLOCKED_MS;
  } finally {
    socket.destroy();
  }
}

function lockAddress(folder: string): string {
  if (platform() === "win32") return `\\\\.\\pipe\\${basename(folder)}`;
  return join(folder, "owner");
}
