import type { Socket } from "node:net";
import { Duplex, duplexPair } from "node:stream";
import { setImmediate as turn } from "node:timers/promises";
import fc from "fast-check";
import { expect, test } from "vitest";
import { fuzzParameters } from "../core/fuzz.fixture.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import { handshake } from "./handshake.ts";
import {
  bind,
  execute,
  int32,
  message,
  parse,
  query,
  startup,
  sync,
  untyped,
} from "./messages.fixture.ts";
import { Recorder } from "./observer.fixture.ts";
import type { PendingStatement } from "./pending-statement.ts";
import { WireSession } from "./session.ts";

/*
 * Hostile bytes from the service and from the server, in any order, while the observer moves statements.
 * An error that the session throws would end the whole process.
 */

/** An end whose bytes the test sends by an event, so that what the session throws reaches the test. */
class End extends Duplex {
  readonly written: Buffer[] = [];

  override _read(): void {}

  override _write(chunk: Buffer, _: BufferEncoding, done: () => void): void {
    this.written.push(chunk);
    done();
  }
}

const text = fc.oneof(
  fc.constantFrom("", "select 1", "begin; select 1; select 2", "copy t from stdin", "0 1", "7 0"),
  fc.string({ unit: "binary", maxLength: 12 }),
);
const body = fc.uint8Array({ maxLength: 60 }).map((bytes) => Buffer.from(bytes));
const garbled = (types: string) =>
  fc.tuple(fc.constantFrom(...types), body).map(([type, bytes]) => message(type, bytes));
const bytes = fc.uint8Array({ minLength: 1, maxLength: 40 }).map((array) => Buffer.from(array));
const broken = (types: string) =>
  fc
    .tuple(fc.constantFrom(...types), fc.integer({ min: -9, max: 2 ** 31 - 1 }), body)
    .map(([type, length, rest]) => Buffer.concat([Buffer.from(type), int32(length), rest]));

const fromService = fc.oneof(
  { weight: 3, arbitrary: text.map(query) },
  {
    weight: 2,
    arbitrary: text.map((sql) =>
      Buffer.concat([parse("", sql), bind("", [sql, null]), execute(), sync]),
    ),
  },
  {
    weight: 1,
    arbitrary: fc.constantFrom(parse("a", "select 2"), execute("x"), sync, message("H")),
  },
  { weight: 1, arbitrary: fc.constantFrom(message("X"), message("F", int32(1)), message("c")) },
  { weight: 2, arbitrary: garbled("QPBEDCSHFXpdcf!") },
  { weight: 1, arbitrary: fc.oneof(broken("QPBS"), bytes) },
);

/** The fields of an error or a notice; the values are those that the proxy looks at. */
const fields = fc
  .array(
    fc.tuple(
      fc.constantFrom(..."SVCMDW"),
      fc.oneof(
        fc.constantFrom("FATAL", "LOG", "INFO", "ERROR", "HD001", "40P01", "57P01", "53300", "7 1"),
        fc.constantFrom("process 1 still waiting for x", "process 1 acquired x"),
        text,
      ),
    ),
    { maxLength: 5 },
  )
  .map((all) => `${all.map(([code, value]) => `${code}${value}\0`).join("")}\0`);

const challenge = fc.oneof(
  fc.constantFrom("SCRAM-SHA-256\0\0", "r=a,s=YQ==,i=4096", "r=,s=,i=1", "v=YQ==", "i=2147483647"),
  text,
);
const fromServer = fc.oneof(
  {
    weight: 2,
    arbitrary: fc
      .tuple(fc.constantFrom(0, 3, 5, 10, 11, 12, 7), challenge)
      .map(([kind, rest]) => message("R", int32(kind), rest)),
  },
  { weight: 3, arbitrary: fc.constantFrom("I", "T", "E").map((status) => message("Z", status)) },
  {
    weight: 2,
    arbitrary: fc.tuple(fc.constantFrom("E", "N"), fields).map(([type, all]) => message(type, all)),
  },
  {
    weight: 2,
    arbitrary: fc.constantFrom(
      message("C", "SELECT 1\0"),
      message("K", int32(1), int32(2)),
      message("1"),
      message("2"),
      message("G"),
      message("A"),
      message("W"),
    ),
  },
  { weight: 2, arbitrary: garbled("RSKZTDCEINAGWHVvcdnst123") },
  { weight: 1, arbitrary: fc.oneof(broken("REZC"), bytes) },
);

type Move =
  | { readonly from: "service" | "server"; readonly bytes: Buffer }
  | {
      readonly from: "observer";
      readonly move: "release" | "deliver" | "cut" | "close" | "expectEnd";
    }
  | { readonly from: "service closes" | "server closes" | "event loop" };

const move: fc.Arbitrary<Move> = fc.oneof(
  { weight: 8, arbitrary: fromService.map((sent) => ({ from: "service", bytes: sent }) as const) },
  { weight: 10, arbitrary: fromServer.map((sent) => ({ from: "server", bytes: sent }) as const) },
  {
    weight: 6,
    arbitrary: fc
      .constantFrom("release", "deliver")
      .map((name) => ({ from: "observer", move: name }) as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("cut", "close", "expectEnd")
      .map((name) => ({ from: "observer", move: name }) as const),
  },
  {
    weight: 1,
    arbitrary: fc
      .constantFrom("service closes", "server closes", "event loop")
      .map((from) => ({ from }) as const),
  },
);

const WIRE: WireGates = {
  snapshot: { place: 1, last: 1, holds: (sql) => sql.length % 2 === 0 },
  message: { place: 2, split: (sql) => (sql.includes(";") ? sql.split(";") : undefined) },
};

const GREETING = Buffer.concat([
  message("R", int32(0)),
  message("K", int32(7), int32(9)),
  message("Z", "I"),
]);

interface Opening {
  /** Whether the session is ready when the moves begin. */
  readonly greeted: boolean;
  readonly gates: boolean;
  readonly passes: boolean;
  /** Whether the proxy logs in for the client, and whether that gave the password of the port. */
  readonly login: "none" | "proven" | "unproven";
}

const opening: fc.Arbitrary<Opening> = fc.record({
  greeted: fc.boolean(),
  gates: fc.boolean(),
  passes: fc.boolean(),
  login: fc.constantFrom("none", "proven", "unproven"),
});

async function play({ greeted, gates, passes, login }: Opening, moves: readonly Move[]) {
  const [service, server] = [new End(), new End()];
  const observer = new Recorder({ passes });
  let ended = 0;
  const session = new WireSession(
    service,
    {
      dial: () => Promise.resolve(server),
      observer: () => observer,
      wire: gates ? WIRE : {},
      arm: (starting) => starting.open(),
      openGate: () => {},
      ended: () => ended++,
    },
    {},
    login === "none" ? undefined : { user: "ada", password: "x", proven: login === "proven" },
  );
  service.emit("data", startup("user", "ada"));
  await Promise.resolve();
  if (greeted) server.emit("data", GREETING);
  const asked = () => server.written.length > 1;
  for (const it of moves) {
    const open = ended === 0;
    if (it.from === "service" && !service.destroyed) service.emit("data", it.bytes);
    else if (it.from === "server" && !server.destroyed) {
      server.emit("data", it.bytes);
      const entered = Buffer.concat(service.written).includes(message("R", int32(0)));
      // A client that has not proven itself enters only after the server has checked a password.
      if (login === "unproven" && !asked()) expect(entered).toBe(false);
    } else if (it.from === "service closes") service.emit("close");
    else if (it.from === "server closes") server.emit("close");
    else if (it.from === "event loop") await turn();
    else if (it.from === "observer" && open) advance(session, observer, it.move);
  }
  session.close();
  session.close();
  // What the streams have deferred runs too, and is not kept until the end of all runs.
  await turn();
  expect(ended).toBe(1);
}

function advance(
  session: WireSession,
  { events }: Recorder,
  name: Extract<Move, { readonly from: "observer" }>["move"],
): void {
  if (name === "cut" || name === "close" || name === "expectEnd") {
    session[name]();
    return;
  }
  const pending = events.flatMap((event) => ("pending" in event ? event.pending : [])).at(-1);
  if (pending === undefined || pending.session !== session) return;
  step(pending, name);
}

function step(pending: PendingStatement, name: "release" | "deliver"): void {
  const { at } = pending.state;
  if (name === "release" && (at === "held" || at === "gate")) pending.release();
  if (name === "deliver" && at === "answered") pending.deliver();
}

const UNPROVEN: Opening = { greeted: false, gates: false, passes: true, login: "unproven" };
/** A server that is ready for queries before it has checked anything. */
const READY_TOO_EARLY: Move[] = [message("Z", "I"), message("R", int32(0)), message("A")].map(
  (sent) => ({ from: "server", bytes: sent }),
);

test("no bytes of a service or a server make a session throw, and it ends once", async () => {
  const moves = fc.array(move, { maxLength: 25 });
  const examples: [Opening, Move[]][] = [[UNPROVEN, READY_TOO_EARLY]];
  await fc.assert(fc.asyncProperty(opening, moves, play), { ...fuzzParameters(1_500), examples });
});

/** What a client of a port sends: a first packet (not for TLS, which needs a socket), a password, or anything. */
const atPort = fc.oneof(
  fc.constantFrom("ada", "bob", "postgres", "").map((user) => startup("user", user)),
  fc.constantFrom("", "secret", "righ", "right ").map((password) => message("p", `${password}\0`)),
  fc.constantFrom(80877104, 80877102, 0).map((code) => untyped(code)),
  fromService,
);

test("no bytes at a port open a session for its role without the password", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(atPort, { maxLength: 8 }), async (packets) => {
      const [client, port] = duplexPair({ allowHalfOpen: false });
      client.resume().on("error", () => {});
      const entered = handshake(port as unknown as Socket, {
        password: "right",
        passwordIs: "another one",
        role: { user: "ada", password: "secret" },
        refused: ["postgres"],
        timeoutMs: 20,
      });
      for (const packet of packets) client.write(packet);
      client.end();
      const user = await entered.then(({ login }) => login?.user).catch(() => undefined);
      expect(["ada", "postgres"]).not.toContain(user);
      client.destroy();
    }),
    fuzzParameters(300),
  );
});
