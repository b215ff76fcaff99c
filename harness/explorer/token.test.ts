import { crc32, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import { expect, test } from "vitest";
import { GATE_NAMES, ISOLATIONS } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import { deadlock, doubleBooking } from "./sample-counterexample.fixture.ts";
import { decodeToken, encodeToken } from "./token.ts";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
const token = encodeToken(doubleBooking);

function fault(text: string): HarnessError | undefined {
  try {
    decodeToken(text);
    return undefined;
  } catch (error) {
    if (error instanceof HarnessError) return error;
    throw error;
  }
}

/** A token whose checksum is right, whatever it packs. */
function forged(packed: Buffer): string {
  const checksum = Buffer.alloc(4);
  checksum.writeUInt32BE(crc32(packed));
  return `h2.${Buffer.concat([checksum, packed]).toString("base64url")}`;
}

const entries = fc
  .tuple(fc.constantFrom("bg", "0", "1", "12"), fc.constantFrom("", ".1"))
  .map((l) => l.join(""));
const replays = fc.record({
  service: fc.string({ unit: "binary" }),
  mutant: fc.option(fc.string()),
  control: fc.record({
    gates: fc.subarray([...GATE_NAMES]),
    isolation: fc.constantFrom(...ISOLATIONS),
  }),
  // JSON has no negative zero.
  scenario: fc.record({
    initial: fc.jsonValue().map((v) => JSON.parse(JSON.stringify(v))),
    clients: fc.array(fc.array(fc.record({ name: fc.string(), key: fc.string() }))),
  }),
  schedule: fc.record({ version: fc.constant(1 as const), entries: fc.array(entries) }),
});

test("decoding is the inverse of encoding", () => {
  fc.assert(
    fc.property(replays, (replay) => {
      expect(JSON.stringify(decodeToken(encodeToken(replay)))).toBe(JSON.stringify(replay));
    }),
  );
});

test("a token holds only what a replay needs, in a few hundred characters", () => {
  const { service, mutant, control, scenario, schedule } = doubleBooking;
  expect(decodeToken(token)).toEqual({ service, mutant, control, scenario, schedule });
  expect(token).toMatch(/^h2\.[\w-]{1,400}$/);
});

test("line breaks in a token are ignored", () => {
  const { service } = decodeToken(` ${token.replace(/.{60}/g, "$&\n  ")}\n`);
  expect(service).toBe(doubleBooking.service);
});

test("every mistyped character is noticed", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 3, max: token.length - 1 }),
      fc.constantFrom(...ALPHABET),
      (at, character) => {
        fc.pre(token[at] !== character);
        expect(fault(token.slice(0, at) + character + token.slice(at + 1))?.code).toBe("USAGE");
      },
    ),
    { numRuns: 500 },
  );
});

test("a last character with other unused bits is noticed", () => {
  const tokens = ["", "a", "ab", "abc"].map((service) =>
    encodeToken({ ...doubleBooking, service }),
  );
  expect(new Set(tokens.map((text) => text.length % 4)).size).toBeGreaterThan(1);
  for (const text of tokens) {
    for (const last of ALPHABET.replace(text.slice(-1), "")) {
      expect(fault(text.slice(0, -1) + last)?.code).toBe("USAGE");
    }
  }
});

test("missing, doubled and swapped characters are noticed", () => {
  fc.assert(
    fc.property(fc.integer({ min: 0, max: token.length - 2 }), (at) => {
      expect(fault(token.slice(0, at))?.code).toBe("USAGE");
      expect(fault(token.slice(0, at) + token.slice(at + 1))).toBeInstanceOf(HarnessError);
      expect(fault(token.slice(0, at + 1) + token.slice(at))).toBeInstanceOf(HarnessError);
      const [a, b] = [token[at], token[at + 1]];
      fc.pre(a !== b);
      expect(fault(`${token.slice(0, at)}${b}${a}${token.slice(at + 2)}`)).toBeInstanceOf(
        HarnessError,
      );
    }),
  );
});

test("any other text is refused", () => {
  fc.assert(
    fc.property(
      fc.oneof(
        fc.string(),
        fc.base64String().map((s) => `h2.${s}`),
      ),
      (text) => {
        expect(fault(text)?.code).toBe("USAGE");
      },
    ),
  );
});

test("another version is refused", () => {
  const error = fault(token.replace("h2.", "h1."));
  expect(error?.code).toBe("REPLAY_INCOMPATIBLE");
  expect(error?.message).toContain("version 1");
});

test("a token that unpacks to too many bytes is refused", () => {
  const bomb = deflateRawSync(Buffer.alloc(64 << 20, " "));
  expect(bomb.length).toBeLessThan(100_000);
  const error = fault(forged(bomb));
  expect(error?.code).toBe("USAGE");
  expect(error?.cause).toMatchObject({ code: "ERR_BUFFER_TOO_LARGE" });
});

const CONTROL = doubleBooking.control;

test("a token whose parts are right is accepted", () => {
  const parts = ["booking", null, CONTROL, null, [], [], []];
  expect(fault(forged(deflateRawSync(JSON.stringify(parts))))).toBeUndefined();
});

test("a token holds the executions that come first", () => {
  const before = [{ scenario: doubleBooking.scenario, schedule: doubleBooking.schedule }];
  expect(decodeToken(encodeToken({ ...doubleBooking, before })).before).toEqual(before);
});

test.each([
  ["an object", {}],
  ["too few parts", ["booking"]],
  ["too many parts", ["booking", null, {}, null, [], [], [], []]],
  ["a service that is no text", [1, null, CONTROL, null, [], [], []]],
  ["a mutant that is no text", ["booking", 1, CONTROL, null, [], [], []]],
  ["clients that are no lists", ["booking", null, CONTROL, null, [{ name: "create" }], [], []]],
  ["an operation without name", ["booking", null, CONTROL, null, [[{}]], [], []]],
  ["a task that cannot be", ["booking", null, CONTROL, null, [], ["1e9"], []]],
  ["earlier executions that have no schedule", ["booking", null, CONTROL, null, [], [], [{}]]],
])("a forged token with %s is refused", (_, parts) => {
  expect(fault(forged(deflateRawSync(JSON.stringify(parts))))?.code).toBe("USAGE");
});

test("different counterexamples have different tokens", () => {
  expect(encodeToken(deadlock)).not.toBe(token);
});
