import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { deadlock, doubleBooking, written } from "../explorer/sample-counterexample.fixture.ts";
import { counterexampleText } from "./text.ts";

const plain = { colour: false, folder: "reports" };
const text = counterexampleText(doubleBooking, plain);

test("tells who did what, who waited for whom, and what came of it", () => {
  const from = text.indexOf("\n  10 ");
  expect(text.slice(from + 1, text.indexOf("\n\n", from))).toBe(
    [
      "  10  ● │  client 0  update availability_slots set is_available = false where id = $1 [$1='1']",
      "      │ │  client 0  waits for client 1",
      "  11  │ ●  client 1  commit → COMMIT",
      "      │ │  client 0  waits no longer → UPDATE 1",
      "      │ │  client 1  is answered 201 CREATED",
      "  12  ●    client 0  hears the answer",
      "  13  ●    client 0  commit → COMMIT",
      "      │    client 0  is answered 201 CREATED",
    ].join("\n"),
  );
  expect(text).toContain("   4  │ ●  client 1  preempts client 0\n");
});

test("shows statements with their values, errors with their SQLSTATE", () => {
  expect(text).toContain("$3='c-17', $4='Ada");
  expect(text).toContain("$5=NULL");
  expect(counterexampleText(deadlock, plain)).toContain("→ ERROR 40P01: deadlock detected");
});

test("says what broke, with its rows, and ends with the one operation that replays it", () => {
  expect(text).toMatch(/^slot_with_several_bookings\nbooking with the seeded bug/);
  expect(text).toContain("slot_with_several_bookings (invariant): Slot 1 has 2 active bookings.");
  expect(text).toContain('  slot_id="1" booking_id="2" customer_id="c-17" status="pending"');
  expect(text).toContain(
    "\nThis looks like lost update. Client 0 read availability_slots, client 1",
  );
  expect(text).toMatch(/\nReplay it: npx heddle replay reports\/counterexamples\/[\w-]+\.json\n$/);
  const again = counterexampleText(doubleBooking, { ...plain, replay: "h1.abc" });
  expect(again).toMatch(/\nReplay it: npx heddle replay h1\.abc\n$/);
});

test("says when shrinking did not finish", () => {
  expect(text).not.toContain("budget");
  expect(counterexampleText(deadlock, plain)).toContain("the budget ended first");
});

test("leaves out a size before that is no other, and a state that there is not", () => {
  expect(text).toContain("\nshrunk from 7 operations and 6 preemptions\n\ninitial state\n");
  const asFound = counterexampleText(written, plain);
  expect(asFound).toContain(": 2 operations, 2 preemptions\n\nClient 0 sends");
  expect(asFound).not.toContain("initial state");
});

test.each([60, 100])("keeps to %i columns, but for the operation to copy", (width) => {
  const lines = counterexampleText(doubleBooking, { ...plain, width }).split("\n");
  const long = lines.filter((line) => line.length > width && !line.startsWith("Replay it:"));
  expect(long).toEqual([]);
});

test("colours change nothing but the colour", () => {
  const coloured = counterexampleText(doubleBooking, { ...plain, colour: true });
  expect(coloured).not.toBe(text);
  expect(stripVTControlCharacters(coloured)).toBe(text);
});

test("obeys nothing that the data say to a terminal", () => {
  const evil = "\u001b[2J\u0007\u202e\r\n";
  const hostile = counterexampleText(
    {
      ...doubleBooking,
      service: evil,
      mutant: evil,
      scenario: { initial: { [evil]: evil }, clients: [[{ name: evil, [evil]: evil }]] },
      violations: [{ checker: evil, name: evil, message: evil, evidence: [{ [evil]: evil }] }],
      trace: [
        { type: "invoke", client: 0, index: 0, operation: { name: evil } },
        { type: "statement", task: "0", statement: { sql: `'${evil}'`, values: [evil] } },
        {
          type: "result",
          task: "0",
          result: { tags: [evil], error: { sqlstate: evil, message: evil }, transaction: "idle" },
        },
        {
          type: "return",
          client: 0,
          index: 0,
          response: { outcome: "info", code: evil, body: evil },
        },
      ],
    },
    plain,
  );
  expect(hostile.replaceAll("\n", "")).not.toMatch(/[\p{Cc}\u202e]/u);
  expect(hostile).toContain("outcome unknown: \\u001b[2J");
});
