import { once } from "node:events";
import { connect, type Socket } from "node:net";
import { createInterface } from "node:readline";
import fc from "fast-check";
import { afterAll, beforeAll, expect, test } from "vitest";
import { fuzzParameters } from "../core/fuzz.fixture.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { eventually, type Proxied, proxied } from "./proxied-server.fixture.ts";
import { RawClient, typeOf } from "./raw-client.fixture.ts";
import { RemoteControl } from "./remote-control.ts";

/*
 * Hostile programs at the port for the controller of `heddle proxy`, with its token and without. None may end
 * the process, see an event without the token, or keep a statement after it has left.
 */

let server: Server;
let it: Proxied;
let control: RemoteControl;
/** A client of the database, whose statements a controller holds. */
let client: RawClient;

/** Errors that would have ended the process of `heddle proxy`. */
const thrown: unknown[] = [];
const record = (error: unknown) => void thrown.push(error);
let listeners: NodeJS.UncaughtExceptionListener[] = [];

beforeAll(async () => {
  listeners = process.listeners("uncaughtException");
  process.removeAllListeners("uncaughtException").on("uncaughtException", record);
  server = await startServer(testPostgres);
  it = await proxied(server);
  control = await RemoteControl.listen(it.proxy, 0);
  client = await RawClient.ready(it.proxy.url);
});

afterAll(async () => {
  process.off("uncaughtException", record);
  for (const listener of listeners) process.on("uncaughtException", listener);
  client?.close();
  await control?.stop();
  await it?.stop();
  await server?.stop();
});

async function visit(): Promise<Socket> {
  const [host, port] = control.address.split(":");
  const socket = connect(Number(port), host).on("error", () => {});
  await once(socket, "connect");
  return socket;
}

const closing = (socket: Socket) => new Promise((resolve) => socket.once("close", resolve));

/** The token as a controller sends it. */
const proof = () => `${JSON.stringify({ token: control.token })}\n`;

/** Becomes the controller once the one before has left, and returns a reader of its events. */
async function enter() {
  for (;;) {
    const socket = await visit();
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    const event = async () => JSON.parse((await lines.next()).value ?? "null");
    socket.write(`${proof()}am I in?\n`);
    if (String((await event())?.message).includes("am I in?")) return { socket, event };
    socket.destroy();
  }
}

/** A controller gets in, and decides about a statement. */
async function controllable(): Promise<void> {
  const { socket, event } = await enter();
  const answer = client.query("select 1");
  const held = await event();
  expect(held).toMatchObject({ event: "held", statement: { sql: "select 1" } });
  socket.write(`${JSON.stringify({ release: held.session })}\n`);
  expect(await event()).toMatchObject({ event: "answered" });
  socket.write(`${JSON.stringify({ deliver: held.session })}\n`);
  expect((await answer).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
  socket.destroy();
}

const value = fc.oneof(
  fc.constantFrom<unknown>(0, 1, 2, -1, 1e300, null, "1", "guess", [], {}, [1], true),
  fc.constantFrom<unknown>({ toString: 1 }, { length: 32 }, [[[[]]]], "\ud800"),
  fc.jsonValue({ maxDepth: 2 }),
);
const member = fc.constantFrom("release", "deliver", "token", "event", "__proto__", "toString");
const object = fc
  .array(fc.tuple(member, value), { maxLength: 3 })
  .map((members) => JSON.stringify(Object.fromEntries(members)));
/** A text, and how often it is sent: long ones stay readable in a message. */
type Sent = readonly [text: string, times: number];
const single = (text: string): Sent => [text, 1];
const line = fc.oneof(
  { weight: 4, arbitrary: object },
  { weight: 1, arbitrary: fc.tuple(object, fc.nat(40)).map(([all, at]) => all.slice(0, at)) },
  { weight: 1, arbitrary: fc.json() },
  { weight: 1, arbitrary: fc.constantFrom("", "\r", "\0", "{", '{"token":') },
);
const sent: fc.Arbitrary<Sent> = fc.oneof(
  {
    weight: 4,
    arbitrary: fc.tuple(
      line.map((text) => `${text}\n`),
      fc.constantFrom(1, 2, 500),
    ),
  },
  { weight: 1, arbitrary: line.map(single) },
  { weight: 1, arbitrary: fc.string({ unit: "binary", maxLength: 60 }).map(single) },
  { weight: 1, arbitrary: fc.tuple(fc.constantFrom("x", "[", "x\n"), fc.constant(30_000)) },
);

interface Visitor {
  readonly hasToken: boolean;
  readonly sent: readonly Sent[];
  readonly leaves: "by closing its side" | "abruptly" | "after the others";
}

const visitor: fc.Arbitrary<Visitor> = fc.record({
  hasToken: fc.boolean(),
  sent: fc.array(sent, { maxLength: 5 }),
  leaves: fc.constantFrom("by closing its side", "abruptly", "after the others"),
});

/** Returns the text that the visitor got. */
async function attack({ hasToken, sent: all, leaves }: Visitor, others: Promise<unknown>) {
  const socket = await visit();
  let got = "";
  socket.setEncoding("utf8").on("data", (text: string) => {
    got += text;
  });
  const closed = closing(socket);
  socket.write((hasToken ? proof() : "") + all.map(([text, times]) => text.repeat(times)).join(""));
  if (leaves === "after the others") await Promise.race([closed, others]);
  if (leaves === "by closing its side") socket.end();
  else socket.resetAndDestroy();
  await closed;
  return got;
}

/** What a visitor without the token has to get: nothing, or the reason why it is refused. */
const REFUSED = /^(\{"event":"error","message":"[^"]*(\\"[^"]*)*"\}\n)?$/;

test("no program at the control port ends the proxy, sees events without the token, or keeps a statement", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(visitor, { minLength: 1, maxLength: 6 }), async (visitors) => {
      let leave = () => {};
      const others = new Promise<void>((resolve) => {
        leave = resolve;
      });
      const answer = client.query("select 2");
      const visits = visitors.map((each) => attack(each, others));
      await Promise.all(visits.filter((_, at) => visitors[at]?.leaves !== "after the others"));
      leave();
      const got = await Promise.all(visits);
      expect((await answer).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
      for (const [at, { hasToken }] of visitors.entries()) {
        if (!hasToken) expect(got[at]).toMatch(REFUSED);
      }
      expect(thrown.splice(0)).toEqual([]);
      await controllable();
    }),
    fuzzParameters(50),
  );
});

test("a controller that reads nothing is disconnected, and keeps no statement", async () => {
  const { socket } = await enter();
  socket.pause();
  const answer = client.query("select 2");
  const gone = closing(socket);
  socket.write(`${"x".repeat(200)}\n`.repeat(150_000));
  expect((await answer).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
  socket.resume();
  await gone;
  await controllable();
});

test("a controller whose line is too long keeps no statement, although it reads nothing", async () => {
  const { socket } = await enter();
  socket.pause();
  const answer = client.query("select 2");
  socket.write(`${"x\n".repeat(50_000)}${"x".repeat(30_000)}`);
  expect((await answer).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
  await controllable();
  socket.destroy();
});

test("connections without the token do not keep the controller out", async () => {
  const strangers = await Promise.all(Array.from({ length: 150 }, visit));
  await controllable();
  await eventually(() => strangers.filter(({ closed }) => closed).length >= 50);
  for (const socket of strangers) socket.destroy();
});
