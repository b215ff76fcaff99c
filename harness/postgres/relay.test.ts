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

async function said(socket: Socket, text: string): Promise<string> {
  socket.write(text);
  const [answer] = (await once(socket, "data")) as [Buffer];
  return answer.toString();
}

test("what is said goes both ways, and an end too", async () => {
  const socket = await connected();
  expect(await said(socket, "hello")).toBe("hello");
  socket.end();
  await once(socket, "close");
  expect(accepted.every(({ destroyed }) => destroyed)).toBe(true);
});

test("a cut ends both sides and refuses who comes, and a mend lets them in again", async () => {
  const socket = await connected();
  await said(socket, "hello");
  const closed = [socket, ...accepted].map((end) => new Promise((done) => end.once("close", done)));
  await relay.cut();
  await Promise.all(closed);
  await expect(connected()).rejects.toThrow(/ENOENT/);
  await relay.cut();
  await relay.mend();
  await relay.mend();
  expect(await said(await connected(), "again")).toBe("again");
});

test("who comes when the server is gone is turned away", async () => {
  echo.close();
  await once(echo, "close");
  const socket = await connected();
  await once(socket, "close");
});

test("its socket is gone with the cut", async () => {
  await relay.cut();
  expect(await exists(join(folder, "link", ".s.PGSQL.5432"))).toBe(false);
});
