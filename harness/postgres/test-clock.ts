import { Client } from "pg";
import { CREATE_OWN_SCHEMA } from "../core/own-schema.ts";

/**
 * The server's clock plus a shift. It is kept in sequences, which are the same for every session
 * and every snapshot. A transaction that began before the shift keeps its time for now(). The
 * functions are volatile so that the planner can put their bodies in place of their calls.
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
 * The clock of a disposable database, as its routines, defaults and statements see it: time passes
 * when it is told to. now(), clock_timestamp() and the like are found by their plain names in a
 * schema that comes before pg_catalog; CURRENT_TIMESTAMP and qualified names keep the server's time.
 */
export class TestClock {
  readonly #client: Client;

  private constructor(client: Client) {
    this.#client = client;
  }

  /**
   * A statement that shifts the clock by its parameter, in ms, as `shift` does: for those who send it
   * through the gates, so that it is a step like others.
   */
  static readonly SHIFT = "select heddle.shift_clock($1)";

  /** Into an empty database, before the schema that it is for: defaults are bound when it is made. */
  static async install(directUrl: string): Promise<void> {
    const client = await connected(directUrl);
    await client.query(INSTALL);
    await client.end();
  }

  static async open(directUrl: string): Promise<TestClock> {
    return new TestClock(await connected(directUrl));
  }

  /** From now on it is that much later than by the server's clock; 0 is the server's time again. */
  async shift(ms: number): Promise<void> {
    await this.#client.query(TestClock.SHIFT, [ms]);
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  // Whoever ends this session makes the next shift fail, with the reason.
  client.on("error", () => {});
  await client.connect();
  return client;
}
