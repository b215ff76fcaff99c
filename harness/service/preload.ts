import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { FrozenValues, freezeProcess } from "../execution/frozen-globals.ts";
import type { PreloadOptions } from "./preload-channel.ts";

/*
 * Node loads this file before a program or service that Heddle starts, and before the Node processes that these
 * start in turn (NODE_OPTIONS, --import). What it does is in HEDDLE_PRELOAD. It keeps no process alive, and
 * without Heddle it does nothing.
 */

const options = JSON.parse(process.env["HEDDLE_PRELOAD"] ?? "{}") as Partial<PreloadOptions>;

if (options.freeze !== undefined) {
  const { time, seed } = options.freeze;
  const freeze = () => freezeProcess(new FrozenValues(time, seed));
  freeze();
  if (options.channel !== undefined) await listenTo(options.channel, freeze);
}

if (options.record !== undefined) {
  const { recordInto } = await import("./record-requests.ts");
  recordInto(options.record);
}

/** Calls `begin` when an execution begins, and tells Heddle when that is done. */
async function listenTo(path: string, begin: () => void): Promise<void> {
  const socket: Socket = connect(path);
  try {
    await once(socket, "connect");
  } catch {
    // Heddle has ended.
    return;
  }
  socket.on("error", () => {});
  socket.setEncoding("utf8").on("data", (text: string) => {
    for (const _ of text.matchAll(/begin\n/g)) {
      begin();
      socket.write("begun\n");
    }
  });
  socket.unref();
}
