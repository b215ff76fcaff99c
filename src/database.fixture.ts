import { Client, Pool } from "pg";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { type Server, startServer } from "../harness/postgres/provider.ts";
import { testPostgres } from "../harness/postgres/server.fixture.ts";
import { migrate } from "./migrate.ts";

/** An hour after the midnight after next, which is in the future at any time of day. */
const HOUR = (parameter: string) =>
  `date_trunc('day', now()) + interval '2 days' + ${parameter}::float8 * interval '1 hour'`;

interface Claim {
  readonly slot: string;
  readonly provider?: string | null;
  readonly customer?: string;
  readonly key?: string | null;
  readonly by?: "customer" | "vendor";
  readonly hold?: string;
}

/** A session or a pool. */
type Session = Pick<Client, "query"> | Pick<Pool, "query">;

/** A migrated database for the tests of one file. Each test starts with two providers and nothing else. */
export function testDatabase() {
  let server: Server;
  let opened: { readonly url: string; readonly pool: Pool };
  let sessions: Client[] = [];

  beforeAll(async () => {
    server = await startServer(testPostgres);
    const { url } = await server.lease();
    await migrate(url);
    opened = { url, pool: new Pool({ connectionString: url }) };
  });
  beforeEach(async () => {
    await opened.pool.query(
      "truncate providers, availability_slots, bookings, payments restart identity",
    );
    await opened.pool.query("insert into providers (name) values ('Ada'), ('Grace')");
  });
  afterEach(async () => {
    await Promise.all(sessions.map((session) => session.end()));
    sessions = [];
  });
  afterAll(async () => {
    await opened?.pool.end();
    await server?.stop();
  });

  return {
    get url() {
      return opened.url;
    },
    get pool() {
      return opened.pool;
    },

    /** Opens a session, for a transaction that stays open. */
    async session(): Promise<Client> {
      const session = new Client({ connectionString: opened.url });
      await session.connect();
      sessions.push(session);
      return session;
    },

    /** Publishes a slot of provider 1 from one hour to another; returns its id. */
    async slot(from: number, to = from + 1, provider = "1"): Promise<string> {
      const { rows } = await opened.pool.query<{ id: string }>(
        `select id from publish_slot($1, ${HOUR("$2")}, ${HOUR("$3")})`,
        [provider, from, to],
      );
      return String(rows[0]?.id);
    },

    /**
     * Resolves when the session waits for a lock of another session, as the server reports it.
     * Rejects if `call`, the session's statement, ends first.
     */
    async blocked(pid: number, call: Promise<unknown>): Promise<void> {
      let ended = false;
      const end = () => {
        ended = true;
      };
      call.then(end, end);
      const sql = "select cardinality(pg_blocking_pids($1)) > 0 as blocked";
      while (!(await row(opened.pool, sql, [pid]))["blocked"]) {
        if (ended) throw new Error("The call did not wait for a lock.");
      }
    },

    /** The names of the consistency checks that fail. */
    async failures(): Promise<string[]> {
      const { rows } = await opened.pool.query<{ check_name: string }>(
        `select check_name from verify_booking_slot_consistency() where status <> 'PASS'
         union all
         select check_name from verify_payment_consistency() where status <> 'PASS'`,
      );
      return rows.map((row) => row.check_name);
    },
  };
}

export async function pidOf(session: Session): Promise<number> {
  const { rows } = await session.query<{ pid: number }>("select pg_backend_pid() as pid");
  return Number(rows[0]?.pid);
}

/** Runs a statement, and returns its first row. */
export async function row(
  session: Session,
  sql: string,
  values: readonly unknown[] = [],
): Promise<Record<string, unknown>> {
  const { rows } = await session.query<Record<string, unknown>>(sql, [...values]);
  return rows[0] ?? {};
}

/** Calls the claim function; by default as customer `c`, for provider 1. */
export function claim(session: Session, { slot, ...given }: Claim) {
  const { provider = "1", customer = "c", key, by = "customer", hold = "15 minutes" } = given;
  return row(
    session,
    `select * from claim_slot_and_create_booking($1, $2, $3, 'Customer', null, $4, null, $5, $6)`,
    [slot, provider, customer, key, by, hold],
  );
}

/** Records a payment, captured by default; returns the booking and `payment_status`. */
export function pay(session: Session, booking: unknown, captured = true, intent = `pi_${booking}`) {
  return row(
    session,
    `select (recorded.payment).status as payment_status, (recorded.booking).*
       from record_payment($1, $2, $3) recorded`,
    [booking, intent, captured],
  );
}

export type DatabaseCall = (session: Client) => Promise<Record<string, unknown>>;

/** Runs two calls at once, where one has to wait for the other. */
export function contention(database: ReturnType<typeof testDatabase>) {
  /** Starts a call and resolves when it waits for a lock. `outcome` settles once the lock is free. */
  async function waiting(call: DatabaseCall) {
    const session = await database.session();
    const pid = await pidOf(session);
    const outcome = Promise.allSettled([call(session)]).then(([settled]) => settled);
    await database.blocked(pid, outcome);
    return { pid, outcome };
  }

  /** Runs `first` in a transaction, ends it once `second` waits for it, and returns how `second` settled. */
  async function inTurn(
    first: DatabaseCall,
    second: DatabaseCall,
    end: "commit" | "rollback" = "commit",
  ) {
    const session = await database.session();
    await session.query("begin");
    await first(session);
    const { outcome } = await waiting(second);
    await session.query(end);
    const settled = await outcome;
    expect(await database.failures()).toEqual([]);
    return settled;
  }

  return { waiting, inTurn };
}

export const done = (value: object) => ({
  status: "fulfilled",
  value: expect.objectContaining(value),
});
export const refused = (code: string) => ({
  status: "rejected",
  reason: expect.objectContaining({ code }),
});
