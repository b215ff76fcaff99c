import { once } from "node:events";
import { mkdir } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { platform } from "node:os";
import { type Address, dial, endpointOf } from "./address.ts";

/** Passes connections on to a server, as a network that can be cut. */
export class Relay {
  /** The address at which the relay accepts connections. */
  readonly address: Address;
  readonly #target: Address;
  readonly #sockets = new Set<Socket>();
  #listener: Server;

  private constructor(address: Address, target: Address, listener: Server) {
    this.address = address;
    this.#target = target;
    this.#listener = listener;
    this.#serve();
  }

  /**
   * Starts a relay.
   * @param folder created for the socket of the relay; not used on Windows.
   * @param target the address of the server.
   */
  static async open(folder: string, target: Address): Promise<Relay> {
    if (platform() === "win32") {
      const listener = await listening({ host: "127.0.0.1", port: 0 });
      const { port } = listener.address() as AddressInfo;
      return new Relay({ host: "127.0.0.1", port }, target, listener);
    }
    await mkdir(folder, { mode: 0o700 });
    const address = { host: folder, port: 5432 };
    return new Relay(address, target, await listening(address));
  }

  /** Ends all connections, and refuses new ones until `mend`. */
  async cut(): Promise<void> {
    if (!this.#listener.listening) return;
    const closed = once(this.#listener, "close");
    this.#listener.close();
    for (const socket of this.#sockets) end(socket);
    await closed;
  }

  /** Accepts connections again. */
  async mend(): Promise<void> {
    if (this.#listener.listening) return;
    this.#listener = await listening(this.address);
    this.#serve();
  }

  #serve(): void {
    this.#listener.on("connection", (client) => {
      client.setNoDelay(true);
      const server = dial(this.#target);
      const ends = [client, server] as const;
      for (const [from, to] of [ends, [server, client] as const]) {
        this.#sockets.add(from);
        from.pipe(to);
        from.on("error", () => end(to));
        from.once("close", () => {
          this.#sockets.delete(from);
          to.destroySoon();
        });
      }
    });
  }
}

/** Ends a connection without a closing handshake, as a lost network does: over TCP with a reset. */
function end(socket: Socket): void {
  if (socket.remoteAddress === undefined) socket.destroy();
  else socket.resetAndDestroy();
}

async function listening(address: Address): Promise<Server> {
  const listener = createServer().listen(endpointOf(address));
  await once(listener, "listening");
  return listener.unref();
}
