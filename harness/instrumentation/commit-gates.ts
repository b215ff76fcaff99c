import type { ClientBase } from "pg";
import { memoize } from "../parser/memoize.ts";
import { namesIn, QUERY_TYPES } from "../parser/names.ts";
import { loadParser, parseStatements, statementType } from "../parser/sql.ts";
import { defaultIsolation } from "./default-isolation.ts";
import { type GateKind, tablesUnderTest } from "./gate-kind.ts";

/**
 * A gate before the commit of each transaction that wrote, implicit or explicit, after the last of its
 * deferred triggers.
 *
 * An AFTER STATEMENT trigger on each table inserts a row into a table of Heddle's own, whose deferred
 * constraint trigger is the gate. The tables under test get no deferred events, so TRUNCATE and ALTER
 * TABLE work on them as before.
 *
 * A request in autocommit that has written nothing fires no trigger. Its commit matters where it is
 * SERIALIZABLE, since that decides which transactions fail, and where it releases locks that other
 * sessions may skip. The proxy then sends the request with a Flush, and holds its Sync, at which the
 * server commits (finish_xact_command in src/backend/tcop/postgres.c).
 */
export const commitGates: GateKind = {
  name: "commit",
  install: async (client, first) => {
    await client.query(COMMIT_GATE(first));
    for (const table of await tablesUnderTest(client, { partitions: true })) {
      await client.query(
        `create or replace trigger "${TRIGGER}"
         after insert or update or delete or truncate on ${table}
         for each statement execute function heddle.wrote()`,
      );
    }
    await loadParser();
    const serializable = (await defaultIsolation(client)) === "serializable";
    return {
      places: [{ of: "the transaction", line: null, next: "commit" }],
      wire: { commit: { place: first, serializable, holds: holdsCommit } },
    };
  },
  remove: async (client: ClientBase) => {
    for (const table of await tablesUnderTest(client, { partitions: true })) {
      await client.query(`drop trigger if exists "${TRIGGER}" on ${table}`);
    }
    await client.query(`drop table if exists heddle.commits;
      drop function if exists heddle.wrote, heddle.before_commit`);
  },
};

/** Functions that take advisory locks which the end of a transaction releases. */
const TRANSACTION_LOCK = /^pg_(try_)?advisory_xact_lock/;

/** A text of statements that may read, without any other (which may begin or end a transaction). */
const commitOf = memoize((sql: string) => {
  const statements = parseStatements(sql) ?? [];
  const types = statements.map(statementType);
  const { locks, calls } = namesIn(sql);
  return {
    count: types.length,
    reads: types.every((it) => QUERY_TYPES.has(it) || it === "DoStmt"),
    locks: locks || calls.some(({ name }) => TRANSACTION_LOCK.test(name)),
  };
});

function holdsCommit(
  sql: string,
  { serializable, single }: { readonly serializable: boolean; readonly single: boolean },
): boolean {
  const { count, reads, locks } = commitOf(sql);
  return count > 0 && (count === 1 || !single) && reads && (serializable || locks);
}

const TRIGGER = "~~heddle_commit_gate";

/**
 * PostgreSQL runs deferred triggers in passes, each in the order in which their events were queued;
 * what they queue belongs to the next pass (AfterTriggerFireDeferred in
 * src/backend/commands/trigger.c). The row in `heddle.commits` therefore queues itself again until
 * nothing has been written since its last turn: then no event is left after it, and it is the gate.
 * Where SET CONSTRAINTS fires it early, it queues itself again for the commit, which has another
 * `statement_timestamp`.
 *
 * The transaction's setting `heddle.commit` holds the state, so that a rollback to a savepoint restores
 * it together with the queue: empty without a queued row, `written` after a write, or the time at which
 * the row had its last turn. A transaction without a number has written nothing, and does not get one
 * by this trigger. Both functions run as their owner, since the roles of the application have no rights
 * on the table. Its rows are never read, and stay.
 */
const COMMIT_GATE = (place: number) => `
create unlogged table if not exists heddle.commits ();
create or replace function heddle.wrote() returns trigger language plpgsql security definer
as $$
declare
  state text := pg_catalog.current_setting('heddle.commit', true);
begin
  if state operator(pg_catalog.=) 'written'
     or pg_catalog.pg_current_xact_id_if_assigned() is null then
    return null;
  end if;
  perform pg_catalog.set_config('heddle.commit', 'written', true);
  if state is null or state operator(pg_catalog.=) '' then
    set constraints heddle.commit_gate deferred;
    insert into heddle.commits default values;
  end if;
  return null;
end
$$;
create or replace function heddle.before_commit() returns trigger language plpgsql security definer
as $$
declare
  now text := pg_catalog.statement_timestamp()::pg_catalog.text;
begin
  if pg_catalog.current_setting('heddle.commit', true) operator(pg_catalog.=) now then
    perform pg_catalog.set_config('heddle.commit', '', true);
    if heddle.gate(${place}) then end if;
  else
    perform pg_catalog.set_config('heddle.commit', now, true);
    set constraints heddle.commit_gate deferred;
    insert into heddle.commits default values;
  end if;
  return null;
end
$$;
drop trigger if exists commit_gate on heddle.commits;
create constraint trigger commit_gate after insert on heddle.commits
  deferrable initially deferred for each row execute function heddle.before_commit()`;
