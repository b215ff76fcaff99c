import type { Counterexample } from "../core/counterexample.ts";
import type { Response } from "../core/history.ts";
import type { Operation } from "../core/operation.ts";
import type { Action, Choice, Task } from "../core/schedule.ts";
import type { Result, TraceEvent } from "../core/trace.ts";

const slot = { id: "1", start: "2030-03-04T09:00:00.000Z", end: "2030-03-04T09:30:00.000Z" };
const create = (customer: string, name: string): Operation => ({
  name: "create",
  via: "http",
  providerId: "1",
  startAt: slot.start,
  endAt: slot.end,
  customerId: customer,
  customerName: name,
});
const ada = create("c-17", "Ada O'Brien");
const noor = create("c-42", "Noor Haddad 🩺");

const SELECT = `select id, is_available
  from availability_slots
 where provider_id = $1 and start_at = $2 and end_at = $3`;
const INSERT = `insert into bookings
  (slot_id, provider_id, customer_id, customer_name, notes, start_at, end_at, status, created_by)
values ($1, $2, $3, $4, $5, $6, $7, 'pending', 'customer')
returning *`;
const UPDATE = "update availability_slots set is_available = false where id = $1";

const selectValues = ["1", slot.start, slot.end];
const insertValues = (operation: Operation) => [
  ...["1", "1", String(operation["customerId"]), String(operation["customerName"]), null],
  ...[slot.start, slot.end],
];
const created = (id: string, operation: Operation): Response => ({
  outcome: "ok",
  code: "CREATED",
  status: 201,
  body: {
    code: "CREATED",
    booking: { id, slotId: "1", customerId: operation["customerId"] ?? null, status: "pending" },
  },
});

const move = (task: Task, action: Action, others: Choice[] = [], preemption = false) =>
  ({
    type: "move",
    choice: { task, action },
    enabled: [{ task, action }, ...others].sort((a, b) => a.task.localeCompare(b.task)),
    preemption,
  }) satisfies TraceEvent;
const invoke = (client: number, operation: Operation) =>
  ({ type: "invoke", client, index: 0, operation }) satisfies TraceEvent;
const returned = (client: number, response: Response) =>
  ({ type: "return", client, index: 0, response }) satisfies TraceEvent;
const sql = (task: Task, text: string, values: (string | null)[] = []) =>
  ({ type: "statement", task, statement: { sql: text, values } }) satisfies TraceEvent;
const tag = (task: Task, text: string, transaction: Result["transaction"] = "open") =>
  ({ type: "result", task, result: { tags: [text], transaction } }) satisfies TraceEvent;
const error = (task: Task, sqlstate: string, message: string) =>
  ({
    type: "result",
    task,
    result: { tags: [], error: { sqlstate, message }, transaction: "idle" },
  }) satisfies TraceEvent;

const start1: Choice = { task: "1", action: "start" };
const release0: Choice = { task: "0", action: "release" };
const release1: Choice = { task: "1", action: "release" };

const tasksOf = (trace: readonly TraceEvent[]) =>
  trace.flatMap((event) => (event.type === "move" ? event.choice.task : []));

/** Two creates on one slot over HTTP; both check the slot before either inserts. */
const doubleBookingTrace: readonly TraceEvent[] = [
  move("0", "start", [start1]),
  invoke(0, ada),
  move("0", "release", [start1]),
  sql("0", "begin"),
  tag("0", "BEGIN"),
  move("0", "release", [start1]),
  sql("0", SELECT, selectValues),
  tag("0", "SELECT 1"),
  move("1", "start", [release0], true),
  invoke(1, noor),
  move("1", "release", [release0]),
  sql("1", "begin"),
  tag("1", "BEGIN"),
  move("1", "release", [release0]),
  sql("1", SELECT, selectValues),
  tag("1", "SELECT 1"),
  move("1", "release", [release0]),
  sql("1", INSERT, insertValues(noor)),
  tag("1", "INSERT 0 1"),
  move("1", "release", [release0]),
  sql("1", UPDATE, ["1"]),
  tag("1", "UPDATE 1"),
  move("0", "release", [release1], true),
  sql("0", INSERT, insertValues(ada)),
  tag("0", "INSERT 0 1"),
  move("0", "release", [release1]),
  sql("0", UPDATE, ["1"]),
  { type: "wait", task: "0", for: ["1"] },
  move("1", "release"),
  sql("1", "commit"),
  tag("1", "COMMIT", "idle"),
  tag("0", "UPDATE 1"),
  returned(1, created("1", noor)),
  move("0", "deliver"),
  move("0", "release"),
  sql("0", "commit"),
  tag("0", "COMMIT", "idle"),
  returned(0, created("2", ada)),
];

export const hashes = {
  "migrations/20260101000000_providers.sql":
    "9c56cc51b374c3ba189210d5b6d4bf57790d351c96c47c02190ecf1e430635ab",
  "migrations/20260101000100_availability_slots.sql":
    "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2",
  "migrations/20260101000200_bookings.sql":
    "6b51d431df5d7f141cbececcf79edf3dd861c3b4069f0b11661a3eefacbba918",
};

const initial = {
  providers: [{ id: "1", name: "Dr. Inga Petersen" }],
  slots: [{ id: "1", providerId: "1", startAt: slot.start, endAt: slot.end }],
  bookings: [],
};

/** A counterexample as shrinking leaves it: 2 operations, 2 preemptions, a lock wait. */
export const doubleBooking: Counterexample = {
  version: 3,
  service: "booking",
  mutant: "check-then-insert",
  control: { gates: ["statement"], isolation: "read committed" },
  seed: 1,
  execution: 17,
  scenario: { initial, clients: [[ada], [noor]] },
  schedule: { version: 1, entries: tasksOf(doubleBookingTrace) },
  trace: doubleBookingTrace,
  violations: [
    {
      checker: "invariant",
      name: "slot_with_several_bookings",
      message: "Slot 1 has 2 active bookings.",
      evidence: [
        { slot_id: "1", booking_id: "1", customer_id: "c-42", status: "pending" },
        { slot_id: "1", booking_id: "2", customer_id: "c-17", status: "pending" },
      ],
    },
    {
      checker: "invariant",
      name: "overlapping_bookings",
      message: "Bookings 1 and 2 of provider 1 overlap.",
      evidence: [
        { booking_id: "1", provider_id: "1", details: "overlaps booking 2 by 00:30:00" },
        { booking_id: "2", provider_id: "1", details: "overlaps booking 1 by 00:30:00" },
      ],
    },
  ],
  preemptions: 2,
  shrunk: { executions: 48, operations: 7, preemptions: 6, minimal: true },
  versions: { heddle: "0.1.0", postgres: "18.4" },
  hashes,
};

const CLAIM = "select * from claim_slot_and_create_booking($1, $2, $3, $4, $5)";
const claim = (slotId: string): Operation => ({ name: "create", via: "function", slotId });
const failed: Response = {
  outcome: "fail",
  code: "INTERNAL_ERROR",
  status: 500,
  body: { code: "INTERNAL_ERROR", message: "deadlock detected", hint: "Try again." },
};

const deadlockTrace: readonly TraceEvent[] = [
  move("0", "start", [start1]),
  invoke(0, claim("1")),
  move("1", "start", [release0], true),
  invoke(1, claim("2")),
  move("0", "release", [release1]),
  sql("0", CLAIM, ["1", "1", "c-17", "Ada O'Brien", null]),
  { type: "wait", task: "0", for: ["1"] },
  move("1", "release"),
  sql("1", CLAIM, ["2", "1", "c-42", "Noor", "x"]),
  { type: "wait", task: "1", for: ["0"] },
  error("1", "40P01", "deadlock detected"),
  tag("0", "SELECT 1", "idle"),
  returned(1, failed),
  move("0", "deliver"),
  returned(0, { ...created("1", ada), status: 201 }),
];

/** A broken contract: a deadlock that the client sees; shrinking ran out of budget. */
export const deadlock: Counterexample = {
  ...doubleBooking,
  execution: 112,
  scenario: { initial, clients: [[claim("1")], [claim("2")]] },
  schedule: { version: 1, entries: tasksOf(deadlockTrace) },
  trace: deadlockTrace,
  violations: [
    {
      checker: "contract",
      name: "no_server_error",
      message: "create answered 500 INTERNAL_ERROR.",
      evidence: [{ client: 1, operation: "create", status: 500, code: "INTERNAL_ERROR" }],
    },
  ],
  preemptions: 1,
  shrunk: { executions: 200, operations: 3, preemptions: 4, minimal: false },
};

/** A counterexample of a scenario file: nothing was shrunk, and there is no initial state. */
export const written: Counterexample = {
  ...doubleBooking,
  scenario: { ...doubleBooking.scenario, initial: null },
  shrunk: { executions: 9, operations: 2, preemptions: 2, minimal: true },
};
