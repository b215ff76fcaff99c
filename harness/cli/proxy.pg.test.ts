import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { printed, TestFolder } from "./heddle.fixture.ts";

let server: Server;
let place: TestFolder;

beforeAll(async () => {
  [server, place] = await Promise.all([startServer(testPostgres), TestFolder.make()]);
});
afterAll(async () => {
  await server.stop();
  const left = await place.leftovers();
  await place.remove();
  expect(left).toEqual([]);
});

/** Reads the events that the proxy sends to a controller, one at a time. */
function eventsOf(socket: Socket) {
  const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
  return async () => JSON.parse((await lines.next()).value ?? "null");
}

test("a controller in another process schedules the statements; without one, none is held", async () => {
  const database = await server.lease();
  const { child, ended } = place.start("proxy", "--database-url", database.url);
  let output = "";
  child.stdout?.on("data", (text: string) => {
    output += text;
  });
  await printed(child, "token ");
  const url = /database (\S+)/.exec(output)?.[1] ?? "";
  const token = /token (\S+)/.exec(output)?.[1] ?? "";
  const port = Number(/control 127\.0\.0\.1:(\d+)/.exec(output)?.[1]);

  const client = new Client({ connectionString: url });
  await client.connect();
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);

  const socket = connect(port, "127.0.0.1");
  await once(socket, "connect");
  const next = eventsOf(socket);
  socket.write(`${JSON.stringify({ token })}\nnonsense\n`);
  expect(await next()).toMatchObject({
    event: "error",
    message: expect.stringContaining("nonsense"),
  });
  const second = connect(port, "127.0.0.1");
  second.write(`${JSON.stringify({ token })}\n`);
  expect(await eventsOf(second)()).toMatchObject({ message: "there is a controller already" });
  const stranger = connect(port, "127.0.0.1");
  stranger.write('{"token":"guess"}\n{"release":1}\n');
  expect(await eventsOf(stranger)()).toMatchObject({ message: expect.stringContaining("token") });

  const answer = client.query("select 2 as two");
  const held = await next();
  expect(held).toMatchObject({ event: "held", statement: { sql: "select 2 as two" } });
  socket.write(`${JSON.stringify({ release: held.session })}\n`);
  expect(await next()).toMatchObject({ event: "answered", result: { tags: ["SELECT 1"] } });
  socket.write(`${JSON.stringify({ deliver: held.session })}\n`);
  expect((await answer).rows).toEqual([{ two: 2 }]);

  const unattended = client.query("select 3 as three");
  expect(await next()).toMatchObject({ event: "held" });
  socket.destroy();
  expect((await unattended).rows).toEqual([{ three: 3 }]);

  await client.end();
  child.kill("SIGINT");
  expect((await ended).code).toBe(0);
});

test("a controller that leaves abruptly does not end the proxy, with the token or without", async () => {
  const database = await server.lease();
  const { child, ended } = place.start("proxy", "--database-url", database.url);
  let output = "";
  child.stdout?.on("data", (text: string) => {
    output += text;
  });
  await printed(child, "token ");
  const port = Number(/control 127\.0\.0\.1:(\d+)/.exec(output)?.[1]);
  const token = JSON.stringify({ token: /token (\S+)/.exec(output)?.[1] });
  for (const first of ["", `${token}\n`]) {
    const socket = connect(port, "127.0.0.1").on("error", () => {});
    await once(socket, "connect");
    socket.write(first + "x\n".repeat(20_000));
    await once(socket, "data");
    socket.resetAndDestroy();
  }
  const client = new Client({ connectionString: /database (\S+)/.exec(output)?.[1] ?? "" });
  await client.connect();
  expect((await client.query("select 1 as one")).rows).toEqual([{ one: 1 }]);
  await client.end();
  child.kill("SIGINT");
  expect((await ended).code).toBe(0);
});

test("an error about the URL does not show its password, however the URL is written", async () => {
  for (const url of [
    "postgres://ada:s3cret@[x/y",
    "ada:s3cret@host",
    "postgres:/x?password=s3cret",
  ]) {
    const { code, stderr } = await place.heddle("proxy", "--database-url", url);
    expect(code).toBe(2);
    expect(stderr).not.toContain("s3cret");
  }
});

test("an address that the proxy cannot listen on is a clear error", async () => {
  const { code, stderr } = await place.heddle(
    ...["proxy", "--database-url", "postgres://localhost/x", "--control", "/no/such/folder/socket"],
  );
  expect(stderr).toContain("--control");
  expect(code).toBe(2);
});
