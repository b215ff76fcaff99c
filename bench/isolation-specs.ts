import type { SessionSpec, SessionStep } from "./sessions.ts";

const SCHEMA = `
create table slots (id int primary key, free boolean not null);
create table bookings (
  id int generated always as identity primary key, slot_id int not null, customer text not null,
  status text not null);`;

const SETUP = `
delete from bookings;
delete from slots;
alter sequence bookings_id_seq restart;
insert into slots select id, true from generate_series(1, 2) as id;`;

const TEARDOWN = `
select s.id, s.free, b.id, b.customer, b.status
from slots as s left join bookings as b on b.slot_id = s.id order by s.id, b.id;`;

/** The steps of a transaction, named `prefix` and their number. */
function transaction(prefix: string, ...statements: readonly string[]): SessionStep[] {
  return ["begin", ...statements, "commit"].map((sql, index) => ({
    name: `${prefix}${index + 1}`,
    sql,
  }));
}

const lock = (slot: number) => `select free from slots where id = ${slot} for update`;
const take = (slot: number) => `update slots set free = false where id = ${slot} and free`;
const book = (slot: number, customer: string) =>
  `insert into bookings (slot_id, customer, status) values (${slot}, '${customer}', 'confirmed')`;
/** Books a slot that is free; `free` cannot change, because the session has locked the row. */
const claim = (slot: number, customer: string) =>
  "insert into bookings (slot_id, customer, status) " +
  `select id, '${customer}', 'confirmed' from slots where id = ${slot} and free`;

const slotsAndBookings = { schema: SCHEMA, setup: SETUP, teardown: TEARDOWN };

/** Specs in which a step waits for a lock in all or nearly all permutations. */
export const BLOCKING: readonly SessionSpec[] = [
  {
    ...slotsAndBookings,
    name: "two claims of one slot, by row lock",
    sessions: [
      transaction("a", lock(1), claim(1, "ann"), take(1)),
      transaction("b", lock(1), claim(1, "bob"), take(1)),
    ],
  },
  {
    ...slotsAndBookings,
    name: "two claims of one slot, by unique index",
    schema: `${SCHEMA}
      create unique index on bookings (slot_id) where status = 'confirmed';`,
    sessions: [
      transaction("a", book(1, "ann"), take(1)),
      transaction("b", book(1, "bob"), take(1)),
    ],
  },
  {
    ...slotsAndBookings,
    name: "a claim, an expiry and a withdrawal",
    sessions: [
      transaction("a", lock(1), claim(1, "ann")),
      transaction("b", "update bookings set status = 'expired' where slot_id = 1", take(1)),
      [{ name: "c1", sql: "update slots set free = false where id = 1 returning free" }],
    ],
  },
];

/** Specs in which no step waits in any permutation. */
export const PLAIN: readonly SessionSpec[] = [
  {
    ...slotsAndBookings,
    name: "two claims of different slots",
    sessions: [
      transaction("a", lock(1), claim(1, "ann"), take(1)),
      transaction("b", lock(2), claim(2, "bob"), take(2)),
    ],
  },
  {
    ...slotsAndBookings,
    name: "two sessions that only read",
    sessions: ["a", "b"].map((prefix) =>
      Array.from({ length: 5 }, (_, index) => ({
        name: `${prefix}${index + 1}`,
        sql: "select id, free from slots where free",
      })),
    ),
  },
];
