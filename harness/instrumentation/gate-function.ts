import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";
import { CREATE_OWN_SCHEMA, OWN_SCHEMA_COMMENT } from "../core/own-schema.ts";

/**
 * The class keys of the two advisory locks of each gated backend, by parity; the object key is the
 * backend's process id. The keys are the characters "Hed0" and "Hed1", which no application should
 * use.
 */
export const GATE_CLASSES = [0x48656430, 0x48656431] as const;

/** The SQLSTATE of the INFO message with which a backend reports that it has reached a gate. */
export const GATE_SQLSTATE = "HD001";

/**
 * The gate function `heddle.gate` and the function `heddle.wait` that it calls. They are installed
 * in disposable test databases only.
 *
 * For each gated backend the harness holds exactly one of two advisory locks; which one is the lock
 * parity. A backend that reaches a gate tests which of its locks is held, reports the place and the
 * parity, and waits for that lock. The harness opens the gate by taking the other lock and then
 * releasing this one. At the next gate the backend therefore waits for the other lock, and no
 * moment exists in which it could pass a gate that should hold it. The parity is stored in the lock
 * table alone, so a rollback does not undo it, and gates work in read-only transactions. A backend
 * without such a lock passes its gates silently. All backends do so once the harness has
 * disconnected, because the server then releases its locks.
 *
 * - `gate` runs as the calling role and with the calling search path, so all its names are
 *   qualified. Each test for a lock is one expression: no cancel can interrupt it between taking
 *   and releasing the lock.
 * - `wait` runs without the application's lock_timeout. It also raises deadlock_timeout, so that
 *   the server does not log the wait as one for a lock of the application; only a superuser may set
 *   that. A statement_timeout continues to run while a statement waits at a gate.
 * - `wait` takes the lock in a subtransaction that it rolls back. However the wait ends, even by a
 *   cancel at the moment the server grants the lock, no lock is left behind.
 * - The server sends INFO to the client regardless of client_min_messages
 *   (https://www.postgresql.org/docs/current/runtime-config-client.html).
 * - A gate reads no table. In a volatile routine its expression takes a snapshot, as every
 *   expression does that is not a constant. This has no effect at READ COMMITTED, where each
 *   statement takes a new snapshot anyway, nor at REPEATABLE READ, where the calling statement has
 *   already taken the transaction's snapshot. The exception is the first gate after a COMMIT in a
 *   procedure: there the snapshot of the new transaction is taken before the wait, not after.
 */
const WAIT = (settings: string) => `
create or replace function heddle.wait(place integer, class integer, parity integer)
  returns boolean language plpgsql security definer set lock_timeout = 0 ${settings}
as $$
begin
  raise info using errcode = '${GATE_SQLSTATE}', message = pg_catalog.format('%s %s', place, parity);
  begin
    perform pg_catalog.pg_advisory_xact_lock(class, pg_catalog.pg_backend_pid());
    raise exception using errcode = 'HD002';
  exception when sqlstate 'HD002' then
    return false;
  end;
end
$$`;

const held = (key: number) =>
  `not (pg_catalog.pg_try_advisory_lock_shared(${key}, pg_catalog.pg_backend_pid())
    and pg_catalog.pg_advisory_unlock_shared(${key}, pg_catalog.pg_backend_pid()))`;

const GATE = `
create or replace function heddle.gate(place integer) returns boolean language plpgsql
as $$
begin
  if ${held(GATE_CLASSES[0])} then
    return heddle.wait(place, ${GATE_CLASSES[0]}, 0);
  elsif ${held(GATE_CLASSES[1])} then
    return heddle.wait(place, ${GATE_CLASSES[1]}, 1);
  end if;
  return false;
end
$$`;

/** The text of a gate in a PL/pgSQL source. It changes neither FOUND nor ROW_COUNT. */
export const gateStatement = (place: number): string => `IF heddle.gate(${place}) THEN END IF; `;

/** The text of a gate in a source in SQL: a statement of its own, whose result nobody reads. */
export const gateQuery = (place: number): string => `SELECT heddle.gate(${place}); `;

/**
 * The text of a gate before an ELSIF or WHEN: a condition of its own that is never true. PL/pgSQL
 * evaluates each condition with a new snapshot.
 */
export const gateCondition = (place: number, keyword: "ELSIF" | "WHEN"): string =>
  `${keyword} heddle.gate(${place}) THEN `;

/**
 * The text around a query of a routine that makes each of its rows a step. The query becomes a subquery
 * whose rows pass a gate one by one: PostgreSQL does not merge a subquery that locks rows, or calls a
 * volatile function, with the query around it. PERFORM stands for the first SELECT.
 */
export const ROW_GATE_START = {
  query: " SELECT * FROM /* heddle */ (",
  perform: " * FROM /* heddle */ (SELECT",
} as const;
export const rowGateEnd = (place: number): string =>
  `) AS heddle_rows WHERE NOT heddle.gate(${place}) `;

/**
 * Installs the gate function for all roles. Repeated calls have no further effect.
 *
 * @throws HarnessError UNSUPPORTED when the application has a schema `heddle` of its own.
 */
export async function installGateFunction(client: ClientBase): Promise<void> {
  const { rows } = await client.query<{ superuser: boolean; taken: boolean }>(
    `select rolsuper as superuser,
            exists (select from pg_namespace as n where nspname = 'heddle'
               and obj_description(n.oid, 'pg_namespace') is distinct from $1) as taken
       from pg_roles where rolname = current_user`,
    [OWN_SCHEMA_COMMENT],
  );
  if (rows[0]?.taken) {
    throw new HarnessError(
      "UNSUPPORTED",
      'the schema under test has a schema "heddle", where the gates would be installed; rename it',
    );
  }
  await client.query(
    `${CREATE_OWN_SCHEMA};
     ${WAIT(rows[0]?.superuser ? "set deadlock_timeout = '1d'" : "")};
     ${GATE};
     grant execute on function heddle.wait, heddle.gate to public`,
  );
}
