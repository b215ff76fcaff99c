import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { type AddressInfo, createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, expect, test } from "vitest";
import { dial } from "./address.ts";
import { exists } from "./cache.ts";
import { Relay } from "./relay.ts";

let folder: string;
let echo: Server;
let accepted: Socket[];
let relay: Relay;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "hr-"));
  accepted = [];
  echo = createServer((socket) => {
    accepted.push(socket);
    socket.on("error", () => {}).pipe(socket);
  }).listen(0, "127.0.0.1");
  await once(echo, "listening");
  const { port } = echo.address() as AddressInfo;
  relay = await Relay.open(join(folder, "link"), { host: "127.0.0.1", port });
});
afterEach(async () => {
  await relay.cut();
  echo.close();
  await rm(folder, { recursive: true });
});

async function connected(): Promise<Socket> {
  const socket = dial(relay.address).on("error", () => {});
  await once(socket, "connect");
  return socket;
}

async function echoed(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString();
}

test("passes on data and the end of a connection in both directions", async () => {
  const socket = await connected();
  expect(await echoed(socket, "hello")).toBe("hello");
  socket.end();
  await once(socket, "close");
  expect(accepted.every(({ destroyed }) => destroyed)).toBe(true);
});

test("a cut ends both sides and refuses connections, and a mend accepts them again", async () => {
  const socket = await connected();
  await echoed(socket, "hello");
  const closed = [socket, ...accepted].map((end) => new Promise((done) => end.once("close", done)));
  await relay.cut();
  await Promise.all(closed);
  await expect(connected()).rejects.toThrow(/ENOENT/);
  await relay.cut();
  await relay.mend();
  await relay.mend();
  expect(await echoed(await connected(), "again")).toBe("again");
});

test("closes a connection if the server has ended", async () => {
  echo.close();
  await once(echo, "close");
  const socket = await connected();
  await once(socket, "close");
});

test("a cut removes the socket", async () => {
  await relay.cut();
  expect(await exists(join(folder, "link", ".s.PGSQL.5432"))).toBe(false);
});
