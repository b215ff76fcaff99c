import fc from "fast-check";
import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { fuzzParameters } from "../core/fuzz.fixture.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { int32, message, parse, query, startup, untyped } from "./messages.fixture.ts";
import { Recorder } from "./observer.fixture.ts";
import { eventually, type Proxied, proxied } from "./proxied-server.fixture.ts";
import { RawClient, typeOf } from "./raw-client.fixture.ts";

const RUNS = 60;

let server: Server;
let it: Proxied;
/** Another session of the same proxy, which must not be affected. */
let bystander: RawClient;

beforeAll(async () => {
  server = await startServer(testPostgres);
  it = await proxied(server);
  bystander = await RawClient.ready(it.proxy.url);
});

beforeEach(() => {
  it.proxy.observer = new Recorder({ passes: true });
});

afterAll(async () => {
  bystander?.close();
  await it?.stop();
  await server?.stop();
});

/** Only the bystander is left in the proxy and on the server, and it works. */
async function unharmed(): Promise<void> {
  expect((await bystander.query("select 41 + 1")).map(typeOf)).toEqual(["T", "D", "C", "Z"]);
  await it.become(
    "select array_agg(pid) = array[$1::int] from pg_stat_activity " +
      "where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'",
    [bystander.pid],
  );
  await eventually(() => it.proxy.sessions.size === 1);
}

/** Sends the bytes in pieces, and disconnects unless the proxy has done so before. */
async function attack(client: RawClient, bytes: Buffer, pieces: number): Promise<void> {
  const size = Math.max(1, Math.ceil(bytes.length / pieces));
  for (let at = 0; at < bytes.length; at += size) client.send(bytes.subarray(at, at + size));
  client.finish();
  await client.ended();
}

const bytes = fc.uint8Array({ minLength: 1, maxLength: 300 }).map((array) => Buffer.from(array));
const pieces = fc.integer({ min: 1, max: 5 });
const type = fc.constantFrom(..."QPBEDCSHFXpdcfZK!");

/** A message of a known type with a random length. */
const broken = fc
  .tuple(type, fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }), bytes)
  .map(([name, length, body]) => Buffer.concat([Buffer.from(name), int32(length), body]));
/** A message of a known type with a random body. */
const garbled = fc.tuple(type, bytes).map(([name, body]) => message(name, body));
const truncated = fc
  .tuple(fc.constantFrom(query("select 1"), parse("a", "select 2"), message("B", "abc")), fc.nat())
  .map(([frame, at]) => frame.subarray(0, 1 + (at % (frame.length - 1))));

const check = (arbitrary: fc.Arbitrary<Buffer>, open: () => Promise<RawClient>): Promise<void> =>
  fc.assert(
    fc.asyncProperty(arbitrary, pieces, async (sent, count) => {
      await attack(await open(), sent, count);
      await unharmed();
    }),
    fuzzParameters(RUNS),
  );

describe("a connection that breaks the protocol ends, and no other one does", () => {
  const fresh = () => RawClient.open(it.proxy.url);
  const begun = () => RawClient.ready(it.proxy.url);
  const first = startup("user", "postgres", "database", "x");

  test("with random bytes", () => check(bytes, fresh));

  test("with a startup packet of any length and code", () =>
    check(
      fc
        .tuple(fc.integer({ min: -1, max: 40 }), fc.constantFrom(3 << 16, 196610, 0, -1), bytes)
        .map(([length, code, body]) => Buffer.concat([int32(length), int32(code), body])),
      fresh,
    ));

  test("with a startup packet that is cut off", () =>
    check(
      fc.nat(first.length - 2).map((at) => first.subarray(0, at + 1)),
      fresh,
    ));

  test("with a startup packet of random names and values", () =>
    check(
      bytes.map((body) => untyped(3 << 16, body)),
      fresh,
    ));

  test("with garbage after a startup packet, before the session is ready", () =>
    check(
      fc.oneof(bytes, broken, garbled).map((garbage) => Buffer.concat([first, garbage])),
      fresh,
    ));

  test("with garbage in a session", () => check(fc.oneof(bytes, broken, garbled), begun));

  test("with a message that is cut off", () => check(truncated, begun));

  test("with a broken message after good ones", () =>
    check(
      fc
        .oneof(broken, garbled, truncated)
        .map((garbage) => Buffer.concat([query("select 1"), garbage])),
      begun,
    ));
});

test("a broken message is answered with an error, and the proxy ends the connection", async () => {
  const client = await RawClient.ready(it.proxy.url);
  client.send(Buffer.concat([Buffer.from("Q"), int32(-7)]));
  const [frame] = await client.ended();
  expect(frame?.toString()).toContain("C08P01");
  expect(frame?.toString()).toContain("a message claims a length of -6 bytes");
  await unharmed();
});

test("a client of another protocol is answered with an error", async () => {
  const client = await RawClient.open(it.proxy.url);
  client.send(Buffer.from("GET / HTTP/1.1\r\nhost: localhost\r\n\r\n"));
  const [frame] = await client.ended();
  expect(frame?.toString()).toContain("C08P01");
  await unharmed();
});
