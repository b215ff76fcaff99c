import { stripVTControlCharacters } from "node:util";
import { expect, test } from "vitest";
import { deadlock, doubleBooking, written } from "../explorer/sample-counterexample.fixture.ts";
import { clientStates, counterexampleText, stepLines } from "./text.ts";

const plain = { colour: false, folder: "reports" };
const text = counterexampleText(doubleBooking, plain);

test("shows the steps of each client, lock waits, and results", () => {
  const from = text.indexOf("\n  10 ");
  expect(text.slice(from + 1, text.indexOf("\n\n", from))).toBe(
    [
      "  10  ● │  client 0  update availability_slots set is_available = false where id = $1 [$1='1']",
      "      │ │  client 0  waits for a lock of client 1",
      "  11  │ ●  client 1  commit → COMMIT",
      "      │ │  client 0  gets the lock → UPDATE 1",
      "      │ │  client 1  gets the response 201 CREATED",
      "  12  ●    client 0  receives the result",
      "  13  ●    client 0  commit → COMMIT",
      "      │    client 0  gets the response 201 CREATED",
    ].join("\n"),
  );
  expect(text).toContain("   4  │ ●  client 1  preempts client 0\n");
});

const names = ["ada", "a client with a long name"];

test("calls clients by their names, in the head of the table too", () => {
  const named = counterexampleText({ ...doubleBooking, names }, plain);
  expect(named).toContain("\nstep  ada a client\n");
  expect(named).toContain(
    "\n  11  │   ●         client a client with a long name  commit → COMMIT",
  );
  expect(named).not.toMatch(/client [01]/);
});

test("a walk calls clients by their names too", () => {
  const { trace } = doubleBooking;
  const walk = [...stepLines(trace, 0, 2, names), ...clientStates(trace, 2, names)].join("\n");
  expect(walk).toContain("client ada: ");
  expect(walk).not.toMatch(/client [01]/);
});

test("shows statements with their values, and errors with their SQLSTATE", () => {
  expect(text).toContain("$3='c-17', $4='Ada");
  expect(text).toContain("$5=NULL");
  expect(counterexampleText(deadlock, plain)).toContain("→ ERROR 40P01: deadlock detected");
});

test("shows the violations with their evidence, and ends with the replay command", () => {
  expect(text).toMatch(/^slot_with_several_bookings\nbooking with the seeded bug/);
  expect(text).toContain("slot_with_several_bookings (invariant): Slot 1 has 2 active bookings.");
  expect(text).toContain('  slot_id="1" booking_id="2" customer_id="c-17" status="pending"');
  expect(text).toContain(
    "\nThis looks like a lost update. Client 0 read availability_slots, client 1",
  );
  expect(text).toMatch(/\nReplay it: npx heddle replay reports\/counterexamples\/[\w-]+\.json\n$/);
  const again = counterexampleText(doubleBooking, { ...plain, replay: "h2.abc" });
  expect(again).toMatch(/\nReplay it: npx heddle replay h2\.abc\n$/);
});

test("says if shrinking reached its budget", () => {
  expect(text).not.toContain("budget");
  expect(counterexampleText(deadlock, plain)).toContain("(shrinking reached its budget)");
});

test("leaves out an equal size before shrinking, and an absent initial state", () => {
  expect(text).toContain("\nshrunk from 7 operations and 6 preemptions\n\ninitial state\n");
  const asFound = counterexampleText(written, plain);
  expect(asFound).toContain(": 2 operations, 2 preemptions\n\nClient 0 sends");
  expect(asFound).not.toContain("initial state");
});

test.each([60, 100])("keeps to %i columns, except for the command to copy", (width) => {
  const lines = counterexampleText(doubleBooking, { ...plain, width }).split("\n");
  const long = lines.filter((line) => line.length > width && !line.startsWith("Replay it:"));
  expect(long).toEqual([]);
});

test("colours do not change the text", () => {
  const coloured = counterexampleText(doubleBooking, { ...plain, colour: true });
  expect(coloured).not.toBe(text);
  expect(stripVTControlCharacters(coloured)).toBe(text);
});

test("escapes control characters in the data", () => {
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

test.each([34, 100])("a scenario of %i clients is shown", (count) => {
  const clients = Array.from(
    { length: count },
    (_, at) => doubleBooking.scenario.clients[at] ?? [],
  );
  const scenario = { ...doubleBooking.scenario, clients };
  const shown = counterexampleText({ ...doubleBooking, scenario }, plain);
  expect(shown).toContain("client 1  commit → COMMIT");
});
