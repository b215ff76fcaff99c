import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { errorFrame, FieldReader, FrameReader, MAX_FRAME, ProtocolError } from "./frames.ts";
import { int32, message, startup } from "./messages.fixture.ts";

const frames = (reader: FrameReader, chunk: Buffer): Buffer[] => [...reader.push(chunk)];

describe("a frame reader", () => {
  const messages = fc.array(
    fc
      .tuple(fc.constantFrom(..."QPBESDXdZCT"), fc.uint8Array({ maxLength: 40 }))
      .map(([type, body]) => message(type, Buffer.from(body))),
    { minLength: 1, maxLength: 12 },
  );
  const cuts = fc.array(fc.nat(600), { maxLength: 30 });

  test("reads the same messages wherever the stream is cut", () => {
    fc.assert(
      fc.property(messages, cuts, (list, at) => {
        const stream = Buffer.concat(list);
        const places = [0, ...at.filter((n) => n < stream.length), stream.length];
        places.sort((a, b) => a - b);
        const reader = new FrameReader(false);
        const seen = places.flatMap((end, index) =>
          frames(reader, stream.subarray(places[index - 1] ?? 0, end)),
        );
        expect(seen.map((frame) => frame.toString("hex"))).toEqual(
          list.map((frame) => frame.toString("hex")),
        );
      }),
    );
  });

  test("reads a startup packet and the message after it in one chunk", () => {
    const reader = new FrameReader(true);
    const first = startup("user", "ada");
    const second = message("Q", "select 1\0");
    const seen: Buffer[] = [];
    for (const frame of reader.push(Buffer.concat([first, second]))) {
      seen.push(frame);
      reader.startup = false;
    }
    expect(seen).toEqual([first, second]);
  });

  test("waits for the end of a message", () => {
    const reader = new FrameReader(false);
    const whole = message("Q", "select 1\0");
    expect(frames(reader, whole.subarray(0, 7))).toEqual([]);
    expect(frames(reader, whole.subarray(7))).toEqual([whole]);
  });

  test.each([
    ["negative", -1],
    ["shorter than itself", 3],
    ["longer than any message", MAX_FRAME],
    ["absurd", 0x7fffffff],
  ])("refuses a length that is %s without waiting for the message", (_, length) => {
    const start = Buffer.concat([Buffer.from("Q"), int32(length)]);
    expect(() => frames(new FrameReader(false), start)).toThrow(ProtocolError);
  });

  test.each([0, 3, -5, 10_001, 1_195_725_856])("refuses a startup packet of %i bytes", (length) => {
    expect(() => frames(new FrameReader(true), int32(length))).toThrow(ProtocolError);
  });

  test("accepts the shortest and the longest lengths", () => {
    expect(frames(new FrameReader(false), message("S"))).toHaveLength(1);
    const longest = Buffer.concat([Buffer.from("Q"), int32(MAX_FRAME - 1)]);
    expect(frames(new FrameReader(false), longest)).toEqual([]);
    expect(frames(new FrameReader(true), int32(10_000))).toEqual([]);
  });
});

describe("a field reader", () => {
  test("reads a message's fields in order", () => {
    const fields = new FieldReader(
      message("B", "näme\0", Buffer.from([7, 1, 2, 255, 255, 255, 254])),
    );
    expect(fields.text()).toBe("näme");
    expect(fields.byte()).toBe(7);
    expect(fields.uint16()).toBe(258);
    expect(fields.done).toBe(false);
    expect(fields.int32()).toBe(-2);
    expect(fields.done).toBe(true);
  });

  test("refuses to read past the end", () => {
    const reader = () => new FieldReader(message("B", Buffer.from([1])));
    expect(() => reader().uint16()).toThrow(ProtocolError);
    expect(() => reader().int32()).toThrow(ProtocolError);
    expect(() => reader().bytes(2)).toThrow(ProtocolError);
    expect(() => reader().bytes(-1)).toThrow(ProtocolError);
    const empty = new FieldReader(message("S"));
    expect(() => empty.byte()).toThrow(ProtocolError);
  });

  test("refuses a text without an end", () => {
    expect(() => new FieldReader(message("Q", "select 1")).text()).toThrow(ProtocolError);
  });
});

test("an error message has the fields that drivers read", () => {
  const [frame] = frames(new FrameReader(false), errorFrame("FATAL", "0A000", "not this"));
  expect(frame?.toString("utf8", 0, 1)).toBe("E");
  expect(frame?.toString("utf8", 5)).toBe("SFATAL\0VFATAL\0C0A000\0Mnot this\0\0");
});
