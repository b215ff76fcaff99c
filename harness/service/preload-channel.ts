import { once } from "node:events";
import { createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** What the preload does in a Node process that Heddle starts. */
export interface PreloadOptions {
  /** Freezes the clock at `time` (ISO 8601), and seeds random numbers. Default: neither. */
  readonly freeze?: { readonly time: string; readonly seed: string };
  /** The socket of a `PreloadChannel`, which says when an execution begins. Default: none. */
  readonly channel?: string;
  /** The path of the file to which each request that an HTTP server answers is added. Default: none. */
  readonly record?: string;
}

/** The environment in which Node loads the preload first. `options` are those that NODE_OPTIONS has already. */
export function preloadEnv(preload: PreloadOptions, options = ""): NodeJS.ProcessEnv {
  const extension = import.meta.url.endsWith(".ts") ? "ts" : "js";
  const { href } = new URL(`./preload.${extension}`, import.meta.url);
  return {
    NODE_OPTIONS: `${options} --import=${href}`.trim(),
    HEDDLE_PRELOAD: JSON.stringify(preload),
  };
}

/** The time in which a process must have noticed that an execution begins, in ms. */
const NOTICE_MS = 1_000;

/** Tells the Node processes of a service that an execution begins. */
export class PreloadChannel {
  readonly path: string;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  /** Whether a process has ever loaded the preload. */
  reached = false;

  private constructor(path: string) {
    this.path = path;
    this.#server = createServer((socket) => {
      this.reached = true;
      this.#sockets.add(socket);
      socket.on("error", () => {}).on("close", () => this.#sockets.delete(socket));
    });
  }

  /** Opens the channel in a private folder with a short path. */
  static async open(folder: string): Promise<PreloadChannel> {
    const path = process.platform === "win32" ? `\\\\.\\pipe\\${folder}` : join(folder, "preload");
    const channel = new PreloadChannel(path);
    channel.#server.listen(path);
    await once(channel.#server, "listening");
    return channel;
  }

  /** Resolves when each process has noticed that an execution begins, or has not in time. */
  async begin(): Promise<void> {
    const signal = AbortSignal.timeout(NOTICE_MS);
    await Promise.all(
      [...this.#sockets].map(async (socket) => {
        socket.write("begin\n");
        await Promise.race([
          once(socket, "data", { signal }),
          once(socket, "close", { signal }),
        ]).catch(() => {});
      }),
    );
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, "close");
  }
}
