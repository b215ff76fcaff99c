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

/** A transaction around statements; `prefix` names the session in the steps' names. */
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
/** Books what is free: the row is locked, so `free` cannot change any more. */
const claim = (slot: number, customer: string) =>
  "insert into bookings (slot_id, customer, status) " +
  `select id, '${customer}', 'confirmed' from slots where id = ${slot} and free`;

const rest = { schema: SCHEMA, setup: SETUP, teardown: TEARDOWN };

/** Some step waits for a lock in every, or nearly every, order. */
export const BLOCKING: readonly SessionSpec[] = [
  {
    ...rest,
    name: "two claims, one locks the row out of the other's reach",
    sessions: [
      transaction("a", lock(1), claim(1, "ann"), take(1)),
      transaction("b", lock(1), claim(1, "bob"), take(1)),
    ],
  },
  {
    ...rest,
    name: "two claims, a unique index refuses one",
    schema: `${SCHEMA}
      create unique index on bookings (slot_id) where status = 'confirmed';`,
    sessions: [
      transaction("a", book(1, "ann"), take(1)),
      transaction("b", book(1, "bob"), take(1)),
    ],
  },
  {
    ...rest,
    name: "a claim, an expiry and a withdrawal",
    sessions: [
      transaction("a", lock(1), claim(1, "ann")),
      transaction("b", "update bookings set status = 'expired' where slot_id = 1", take(1)),
      [{ name: "c1", sql: "update slots set free = false where id = 1 returning free" }],
    ],
  },
];

/** No step waits in any order. */
export const PLAIN: readonly SessionSpec[] = [
  {
    ...rest,
    name: "two claims of different slots",
    sessions: [
      transaction("a", lock(1), claim(1, "ann"), take(1)),
      transaction("b", lock(2), claim(2, "bob"), take(2)),
    ],
  },
  {
    ...rest,
    name: "two sessions that only read",
    sessions: ["a", "b"].map((prefix) =>
      Array.from({ length: 5 }, (_, index) => ({
        name: `${prefix}${index + 1}`,
        sql: "select id, free from slots where free",
      })),
    ),
  },
];
