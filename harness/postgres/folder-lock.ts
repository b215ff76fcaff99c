import { once } from "node:events";
import { stat } from "node:fs/promises";
import { connect, createServer, type Server } from "node:net";
import { platform } from "node:os";
import { basename, join } from "node:path";

/**
 * Marks a folder as in use by a living process: the process listens on a socket there. The kernel
 * refuses connections to it from the moment the process is gone, however it went; so, unlike a
 * process id, it is never stale, never reused, and means the same in every container that sees
 * the folder.
 */
export async function claim(folder: string): Promise<Server> {
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
