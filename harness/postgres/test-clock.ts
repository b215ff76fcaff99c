import type { Client } from "pg";
import { CREATE_OWN_SCHEMA } from "../core/own-schema.ts";
import { openClient, withClient } from "./connection.ts";

/**
 * The server's clock plus a shift. Sequences hold the shift, since every session and every snapshot sees
 * the same value. A transaction that began before the shift keeps its now(). The functions are volatile
 * so that the planner can inline them.
 */
const INSTALL = `
  ${CREATE_OWN_SCHEMA};
  create sequence heddle.since minvalue 0 start 0;
  create sequence heddle.ahead minvalue 0 start 0;
  grant select on sequence heddle.since, heddle.ahead to public;

  create function heddle.shifted(at timestamptz) returns timestamptz language sql volatile as $$
    select at + case when extract(epoch from at) * 1e6 >= pg_sequence_last_value('heddle.since')
                  then make_interval(secs => pg_sequence_last_value('heddle.ahead') / 1e6)
                  else interval '0' end
  $$;
  create function heddle.now() returns timestamptz language sql volatile
    as 'select heddle.shifted(pg_catalog.now())';
  create function heddle.transaction_timestamp() returns timestamptz language sql volatile
    as 'select heddle.shifted(pg_catalog.now())';
  create function heddle.statement_timestamp() returns timestamptz language sql volatile
    as 'select heddle.shifted(pg_catalog.statement_timestamp())';
  create function heddle.clock_timestamp() returns timestamptz language sql volatile
    as 'select heddle.shifted(pg_catalog.clock_timestamp())';

  create function heddle.shift_clock(ms bigint) returns void language sql security definer as $$
    select setval('heddle.since', (extract(epoch from pg_catalog.clock_timestamp()) * 1e6)::bigint),
           setval('heddle.ahead', ms * 1000)
  $$;

  do $$ begin
    execute format(
      'alter database %I set search_path = "$user", public, heddle, pg_catalog', current_database());
  end $$`;

/**
 * The clock of a disposable database, which a test can shift. The search path finds now(),
 * clock_timestamp() and similar functions in a schema before pg_catalog. CURRENT_TIMESTAMP and qualified
 * names return the server's time.
 */
export class TestClock {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * A statement that shifts the clock by its parameter in ms, as `shift` does. A client that sends it
   * through the gates makes the shift a step of the execution.
   */
  static readonly SHIFT = "select heddle.shift_clock($1)";

  /** Installs the functions in an empty database, before the schema: column defaults bind them. */
  static async install(directUrl: string): Promise<void> {
    await withClient(directUrl, (client) => client.query(INSTALL));
  }

  static async open(directUrl: string): Promise<TestClock> {
    return new TestClock(await openClient(directUrl));
  }

  /** Sets the clock to the server's time plus `ms`. 0 is the server's time. */
  async shift(ms: number): Promise<void> {
    await this.#client.query(TestClock.SHIFT, [ms]);
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}
