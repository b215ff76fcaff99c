import { once } from "node:events";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect, withDatabase } from "./connection.ts";
import { startEmbedded } from "./embedded.ts";
import type { Server } from "./server.ts";

let server: Server;
let url: string;
beforeAll(async () => {
  server = await startEmbedded({ over: "tcp" });
  ({ url } = await server.lease());
});
afterAll(() => server.stop());

function changed(change: (url: URL) => void): string {
  const other = new URL(url);
  change(other);
  return other.href;
}

test("an error of a connection says what to do", async () => {
  const cases: [string, RegExp][] = [
    ["postgres://me@127.0.0.1:1/db", /me@127\.0\.0\.1:1: nothing listens there: start the server/],
    ["postgres://me@no-such-host.invalid/db", /invalid:5432: (there is no host|the host's name)/],
    ["postgres://me@localhost/db?host=%2Fnowhere", /me@\/nowhere: there is no such socket: start/],
    ["postgres://me@/db?host=/nowhere", /me@\/nowhere: there is no such socket: start/],
    [changed((u) => (u.password = "wrong")), /the user or the password is wrong: correct the URL/],
    [changed((u) => (u.username = "nobody")), /the user or the password is wrong: correct the/],
    [changed((u) => (u.password = "")), /it requires a password: add one to the URL/],
    [changed((u) => (u.pathname = "/none")), /the database to connect to does not exist: name one/],
  ];
  for (const [refused, message] of cases) {
    await expect(connect(refused), refused).rejects.toMatchObject({
      code: "PROVIDER_FAILED",
      message: expect.stringMatching(message),
    });
  }
});

test.each([
  "postgres://user:pass#word@host/db",
  "postgres://host:port/db",
  "host",
])("%s is not a valid URL", async (unreadable) => {
  await expect(connect(unreadable)).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("percent-encoded"),
  });
});

test("an error does not contain the password", async () => {
  const secret = changed((u) => (u.password = "s3cret"));
  await expect(connect(secret)).rejects.toThrow(/^(?!.*s3cret)/s);
});

/** Listens, and calls `answer` with each connection. */
async function withListener(answer: (socket: Socket) => void, use: (url: string) => Promise<void>) {
  const sockets: Socket[] = [];
  const listener = createServer((socket) => {
    sockets.push(socket);
    answer(socket);
  }).listen(0, "127.0.0.1");
  await once(listener, "listening");
  await use(`postgres://me@127.0.0.1:${(listener.address() as AddressInfo).port}/db`);
  for (const socket of sockets) socket.destroy();
  listener.close();
}

test("times out if the server never answers", async () => {
  await withListener(
    () => {},
    async (silent) => {
      await expect(connect(silent, 50)).rejects.toThrow(/no Postgres answered in time: check/);
    },
  );
});

test("explains a connection that the server closes at once", async () => {
  await withListener(
    (socket) => socket.destroy(),
    async (closed) => {
      await expect(connect(closed)).rejects.toThrow(/the server closed the connection: check that/);
    },
  );
});

test.each([
  ["postgres://me:pw@host:1/old?sslmode=disable", "postgres://me:pw@host:1/new?sslmode=disable"],
  ["postgres://host", "postgres://host/new"],
  ["postgres://me@/old?host=/tmp", "postgres://me@localhost/new?host=/tmp"],
  ["postgres:///old?host=/tmp", "postgres:///new?host=/tmp"],
])("%s with another database is %s", (given, expected) => {
  expect(withDatabase(given, "new")).toBe(expected);
});
