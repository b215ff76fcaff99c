import { describe, expect, test } from "vitest";
import { ProtocolError } from "./frames.ts";
import {
  bind,
  execute,
  flush,
  int16,
  message,
  parse,
  query,
  sync,
  terminate,
} from "./messages.fixture.ts";
import { type Request, RequestReader } from "./requests.ts";

/** The requests in the messages, which must mean nothing else but `more`. */
function read(frames: readonly Buffer[], reader = new RequestReader()): Request[] {
  return frames.flatMap((frame) => {
    const intake = reader.take(frame);
    if (intake.type === "request") return intake.request;
    expect(intake).toEqual({ type: "more" });
    return [];
  });
}

const statements = (requests: readonly Request[]) => requests.map(({ statement }) => statement);

describe("a simple query", () => {
  test("is one request with unchanged bytes", () => {
    const frames = [query("select 1; select 'ü'"), query("")];
    const requests = read(frames);
    expect(requests.map(({ bytes }) => bytes)).toEqual([[frames[0]], [frames[1]]]);
    expect(statements(requests)).toEqual([
      { sql: "select 1; select 'ü'", values: [] },
      { sql: "", values: [] },
    ]);
  });

  test("in the middle of a batch is not supported", () => {
    const reader = new RequestReader();
    read([parse("", "select 1")], reader);
    expect(reader.take(query("select 2"))).toEqual({
      type: "unsupported",
      what: "a simple query in the middle of an extended batch",
    });
  });
});

describe("an extended batch", () => {
  test("is one request up to its Sync, with unchanged bytes", () => {
    const describe_ = message("D", "P\0");
    const frames = [parse("", "select $1"), bind("", ["a"]), describe_, execute(), sync];
    const reader = new RequestReader();
    expect(read(frames.slice(0, -1), reader)).toEqual([]);
    const [request] = read([sync], reader);
    expect(request?.bytes).toEqual(frames);
    expect(request?.statement).toEqual({ sql: "select $1", values: ["a"] });
  });

  test("has its parameters: text, binary, NULL and empty", () => {
    const values = ["7", Buffer.from([0, 255]), null, ""];
    const formats = [0, 1, 1, 0];
    const frames = [
      parse("", "select $1,$2,$3,$4"),
      bind("", values, { formats }),
      execute(),
      sync,
    ];
    expect(statements(read(frames))[0]?.values).toEqual(["7", "\\x00ff", null, ""]);
  });

  test("takes one format for all parameters, and text where none is given", () => {
    const batch = (formats: number[]) => [
      parse("", "select $1,$2"),
      bind("", ["A", "B"], { formats }),
      execute(),
      sync,
    ];
    expect(statements(read(batch([1])))[0]?.values).toEqual(["\\x41", "\\x42"]);
    expect(statements(read(batch([])))[0]?.values).toEqual(["A", "B"]);
  });

  test("knows a named statement in later batches, until it is closed", () => {
    const reader = new RequestReader();
    const use = (value: string) => [bind("one", [value]), execute(), sync];
    const frames = [parse("one", "select $1"), ...use("a"), ...use("b")];
    expect(statements(read(frames, reader))).toEqual([
      { sql: "select $1", values: ["a"] },
      { sql: "select $1", values: ["b"] },
    ]);
    const close = [message("C", "Sone\0"), sync];
    expect(statements(read([...close, ...use("c")], reader))).toEqual([
      { sql: "(prepare)", values: [] },
      { sql: "(a statement prepared before)", values: ["c"] },
    ]);
  });

  test("forgets a portal that is closed, and not the statement of the same name", () => {
    const frames = [
      parse("x", "select 1"),
      bind("x", [], { portal: "x" }),
      message("C", "Px\0"),
      execute("x"),
      bind("x", [], { portal: "y" }),
      execute("y"),
      sync,
    ];
    expect(statements(read(frames))).toEqual([{ sql: "select 1", values: [] }]);
  });

  test("joins the texts that it executes, and their values", () => {
    const frames = [
      parse("", "select $1"),
      bind("", ["a"], { portal: "p" }),
      execute("p"),
      parse("", "select 2"),
      bind(""),
      execute(),
      parse("", "select $1, 3"),
      bind("", [null]),
      execute(),
      sync,
    ];
    expect(statements(read(frames))).toEqual([
      { sql: "select $1; select 2; select $1, 3", values: ["a", null] },
    ]);
  });

  test("that only prepares says so, and adds nothing to the next one", () => {
    const frames = [parse("s", "select 1"), message("D", "Ss\0"), sync, bind("s"), execute(), sync];
    expect(statements(read(frames))).toEqual([
      { sql: "(prepare)", values: [] },
      { sql: "select 1", values: [] },
    ]);
  });

  test.each([
    ["values that it does not have", message("B", "\0\0", int16(0), int16(5))],
    ["a text without an end", message("P", "name")],
    ["an unknown type", message("!", "")],
    ["a password after the start", message("p", "secret\0")],
  ])("is refused with %s", (_, frame) => {
    expect(() => new RequestReader().take(frame)).toThrow(ProtocolError);
  });
});

describe("a message in the middle of a request", () => {
  const part = { type: "part" };

  test("belongs to it after a Flush, up to the Sync, with its values", () => {
    const reader = new RequestReader();
    const [request] = read([parse("s", "select $1"), message("D", "Ss\0"), flush], reader);
    expect(request?.statement).toEqual({ sql: "select $1", values: [] });
    expect(reader.talking).toBe(true);
    for (const frame of [bind("s", ["a"]), execute()]) expect(reader.take(frame)).toEqual(part);
    expect(reader.talking).toBe(true);
    expect(reader.take(sync)).toEqual(part);
    expect(reader.talking).toBe(false);
    expect(request?.statement.values).toEqual(["a"]);
    expect(statements(read([bind("s", ["b"]), execute(), sync], reader))).toEqual([
      { sql: "select $1", values: ["b"] },
    ]);
  });

  test("adds further texts that it executes", () => {
    const reader = new RequestReader();
    const [request] = read([parse("", "select 1"), bind(""), execute(), flush], reader);
    for (const frame of [parse("", "select $1"), bind("", ["a"]), execute(), execute(), sync]) {
      expect(reader.take(frame)).toEqual(part);
    }
    expect(request?.statement).toEqual({ sql: "select 1; select $1", values: ["a", "a"] });
  });

  test.each([
    ["of a simple query, up to its end", [query("copy a from stdin")], message("c")],
    ["of a simple query, up to its failure", [query("copy a from stdin")], message("f", "why\0")],
    [
      "of a batch, up to the second Sync",
      [parse("", "copy a from stdin"), bind(""), execute(), sync],
      sync,
    ],
  ])("belongs to it as the data of a COPY, %s", (_, frames, last) => {
    const reader = new RequestReader();
    expect(read(frames, reader)).toHaveLength(1);
    reader.copyIn();
    expect(reader.take(message("d", "1\n"))).toEqual(part);
    expect(reader.talking).toBe(true);
    expect(reader.take(last)).toEqual(part);
    expect(reader.talking).toBe(false);
  });

  test("is no part of it once the server has answered", () => {
    const reader = new RequestReader();
    read([query("copy a from stdin")], reader);
    reader.copyIn();
    reader.answered();
    // Further data is dropped. The server would ignore it as well.
    for (const frame of [message("d", "1\n"), message("c")]) {
      expect(reader.take(frame)).toEqual({ type: "more" });
    }
    expect(statements(read([query("select 1")], reader))).toEqual([
      { sql: "select 1", values: [] },
    ]);
  });

  test("does not follow a Flush of an empty batch", () => {
    const reader = new RequestReader();
    expect(reader.take(flush)).toEqual({ type: "more" });
    expect(reader.talking).toBe(false);
  });
});

test("the function-call protocol is not supported", () => {
  const what = "the function-call protocol";
  expect(new RequestReader().take(message("F", Buffer.alloc(10)))).toEqual({
    type: "unsupported",
    what,
  });
});

test("Terminate ends the session, in the middle of a batch too", () => {
  const reader = new RequestReader();
  read([parse("", "select 1")], reader);
  expect(reader.take(terminate)).toEqual({ type: "terminate" });
});
