import { describe, expect, test } from "vitest";
import { ProtocolError } from "./frames.ts";
import { int32, message } from "./messages.fixture.ts";
import { type Reply, ReplyReader } from "./replies.ts";

const complete = (tag: string) => message("C", `${tag}\0`);
const ready = (status: string) => message("Z", status);

function report(type: "E" | "N", severity: string, sqlstate: string, text: string): Buffer {
  return message(type, `S${severity}\0V${severity}\0C${sqlstate}\0M${text}\0Fx.c\0\0`);
}

/** The reply that the last message is. */
function last(...frames: Buffer[]): Reply | undefined {
  const reader = new ReplyReader();
  return frames.map((frame) => reader.take(frame)).at(-1);
}

describe("a result", () => {
  test("has the command tags in order, with those of statements without rows", () => {
    const frames = [complete("INSERT 0 1"), message("D", ""), complete("SELECT 2"), ready("I")];
    expect(last(...frames)).toEqual({
      type: "ready",
      result: { tags: ["INSERT 0 1", "SELECT 2"], transaction: "idle" },
    });
  });

  test("names the locks of a deadlock, without numbers that differ in each execution", () => {
    const detail =
      "Process 12 waits for ShareLock on transaction 745; blocked by process 34.\n" +
      "Process 34 waits for ExclusiveLock on tuple (0,1) of relation 16385 of database 5; blocked by process 12.";
    const context = 'while updating tuple (0,2) in relation "t"\nSQL statement "update t"';
    const text = `SERROR\0VERROR\0C40P01\0Mdeadlock detected\0D${detail}\0W${context}\0\0`;
    expect(last(message("E", text), ready("I"))).toMatchObject({
      result: {
        error: {
          message: "deadlock detected",
          locks:
            'while updating a tuple in relation "t": ShareLock on a transaction and ExclusiveLock on a tuple',
        },
      },
    });
  });

  test.each([
    ["I", "idle"],
    ["T", "open"],
    ["E", "failed"],
  ])("knows the transaction status %s", (status, transaction) => {
    expect(last(ready(status))).toEqual({ type: "ready", result: { tags: [], transaction } });
  });

  test("has the error of its own request only", () => {
    const reader = new ReplyReader();
    reader.take(complete("BEGIN"));
    expect(reader.take(report("E", "ERROR", "23505", "duplicate key"))).toEqual({ type: "part" });
    expect(reader.take(ready("E"))).toEqual({
      type: "ready",
      result: {
        tags: ["BEGIN"],
        error: { sqlstate: "23505", message: "duplicate key" },
        transaction: "failed",
      },
    });
    reader.take(complete("ROLLBACK"));
    expect(reader.take(ready("I"))).toEqual({
      type: "ready",
      result: { tags: ["ROLLBACK"], transaction: "idle" },
    });
  });

  test.each(["FATAL", "PANIC"])("never comes after %s", (severity) => {
    expect(last(report("E", severity, "57P01", "terminating connection"))).toEqual({
      type: "fatal",
      sqlstate: "57P01",
      message: "terminating connection",
    });
  });
});

describe("a notice", () => {
  const log = (text: string) => last(report("N", "LOG", "00000", text));

  test.each([
    "process 71 still waiting for ShareLock on transaction 733 after 1.075 ms",
    "process 71 still waiting for ExclusiveLock on advisory lock [16384,0,1,1] after 5.2 ms",
  ])("says that a wait began: %s", (text) => {
    expect(log(text)).toEqual({ type: "lock-wait", wait: "waiting" });
  });

  test("says that a wait ended", () => {
    const text = "process 71 acquired ShareLock on transaction 733 after 1502.412 ms";
    expect(log(text)).toEqual({ type: "lock-wait", wait: "acquired" });
  });

  test.each([
    "process 71 detected deadlock while waiting for ShareLock on transaction 7 after 1.1 ms",
    "process 71 avoided deadlock for ShareLock on transaction 7 by rearranging queue order",
    "duration: 3 ms",
    "the process 71 still waiting for you",
  ])("of level LOG is dropped: %s", (text) => {
    expect(log(text)).toEqual({ type: "drop" });
  });

  test.each([
    "NOTICE",
    "WARNING",
    "INFO",
    "DEBUG1",
  ])("of level %s passes, whatever it says", (level) => {
    const text = "process 71 still waiting for ShareLock on transaction 733 after 1.075 ms";
    expect(last(report("N", level, "00000", text))).toEqual({ type: "part" });
  });
});

test("the backend's key has its process id", () => {
  expect(last(message("K", int32(4711), int32(99)))).toEqual({ type: "key", pid: 4711 });
});

test.each([
  "R",
  "S",
  "T",
  "D",
  "I",
  "1",
  "2",
  "3",
  "n",
  "s",
  "t",
  "v",
  "H",
  "d",
  "c",
])("a message of type %s is a part of the answer", (type) => {
  expect(last(message(type, Buffer.alloc(8)))).toEqual({ type: "part" });
});

test.each([
  ["G", { type: "copy-in" }],
  ["W", { type: "unsupported", what: "replication" }],
  ["A", { type: "notification" }],
])("a message of type %s has a meaning of its own", (type, reply) => {
  expect(last(message(type, Buffer.alloc(8)))).toEqual(reply);
});

test("a message that is shorter than its fields is refused", () => {
  expect(() => last(message("K", "ab"))).toThrow(ProtocolError);
  expect(() => last(message("N", "VLOG"))).toThrow(ProtocolError);
});
