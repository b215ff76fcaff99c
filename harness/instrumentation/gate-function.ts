import type { ClientBase } from "pg";
import { HarnessError } from "../core/error.ts";
import { CREATE_OWN_SCHEMA, OWN_SCHEMA_COMMENT } from "../core/own-schema.ts";

/**
 * Class keys of the two advisory locks of each gated backend, by turn; the object key is the
 * backend's process id. No application should use them ("Hed0", "Hed1").
 */
export const GATE_CLASSES = [0x48656430, 0x48656431] as const;

/** SQLSTATE of the INFO message with which a backend says at which gate it stands. */
export const GATE_SQLSTATE = "HD001";

/**
 * The gate function, and what it needs. It is installed in a disposable test database only.
 *
 * For each gated backend the harness holds exactly one of two locks: that is the turn. A backend
 * that comes to a gate looks which one it is, says so, and waits for that lock. The harness lets it
 * go by taking the other lock and then releasing this one; so at the next gate it is the other's
 * turn, and there is no race between letting go and taking again. The turn lives in the lock table
 * alone: nothing rolls it back, and it needs neither a table nor a write, so read-only transactions
 * pass like others. A backend of which the harness holds no lock passes silently. So does everyone
 * when the harness is gone, since its locks go with it.
 *
 * - `gate` runs as whoever calls it, wherever the search path leads; hence all the schemas. Each
 *   look is one expression, within which nothing can interrupt it and leave a lock behind.
 * - `wait` must not be cut short by the application's lock_timeout, and the server must not
 *   report its wait as one for a lock of the application (`deadlock_timeout`, which only a
 *   superuser may set). A statement_timeout does go on while a statement stands at a gate.
 * - The lock is taken in a subtransaction that is rolled back. So whatever ends the wait (a cancel
 *   in the very moment in which the lock is granted), no lock is left behind.
 * - INFO is sent to the client whatever its client_min_messages.
 * - A gate reads no table. In a volatile routine its expression takes a snapshot, as every one does
 *   that is no constant: READ COMMITTED takes a new one for each statement anyway, and under
 *   REPEATABLE READ the calling statement has fixed it before. Only the first gate after a COMMIT
 *   in a procedure fixes that of the new transaction, before it waits rather than after.
 */
const WAIT = (settings: string) => `
create or replace function heddle.wait(place integer, class integer, turn integer)
  returns boolean language plpgsql security definer set lock_timeout = 0 ${settings}
as $$
begin
  raise info using errcode = '${GATE_SQLSTATE}', message = pg_catalog.format('%s %s', place, turn);
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

/** The statement that is a gate, in a PL/pgSQL source. It changes neither FOUND nor ROW_COUNT. */
export const gateStatement = (place: number): string => `IF heddle.gate(${place}) THEN END IF; `;

/**
 * Installs the gate function, for whatever roles the application uses. May be repeated.
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
