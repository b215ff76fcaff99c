import { Client } from "pg";

/**
 * The server's clock plus a shift. It is read from sequences, which are the same for every session
 * and every snapshot. A transaction that began before the shift keeps its time for now().
 */
const INSTALL = `
  create schema heddle_clock;
  grant usage on schema heddle_clock to public;
  create sequence heddle_clock.since minvalue 0 start 0;
  create sequence heddle_clock.shift minvalue 0 start 0;
  grant select on all sequences in schema heddle_clock to public;

  create function heddle_clock.shifted(at timestamptz) returns timestamptz language sql volatile as $$
    select at + case when extract(epoch from at) * 1e6 >= since.last_value
                  then make_interval(secs => shift.last_value / 1e6) else interval '0' end
      from heddle_clock.since, heddle_clock.shift
  $$;
  create function heddle_clock.now() returns timestamptz language sql stable
    as 'select heddle_clock.shifted(pg_catalog.now())';
  create function heddle_clock.transaction_timestamp() returns timestamptz language sql stable
    as 'select heddle_clock.shifted(pg_catalog.now())';
  create function heddle_clock.statement_timestamp() returns timestamptz language sql stable
    as 'select heddle_clock.shifted(pg_catalog.statement_timestamp())';
  create function heddle_clock.clock_timestamp() returns timestamptz language sql volatile
    as 'select heddle_clock.shifted(pg_catalog.clock_timestamp())';

  do $$ begin
    execute format(
      'alter database %I set search_path = heddle_clock, public, pg_catalog', current_database());
  end $$`;

const SHIFT = `
  select setval('heddle_clock.since', (extract(epoch from pg_catalog.clock_timestamp()) * 1e6)::bigint),
         setval('heddle_clock.shift', $1::bigint * 1000)`;

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
    await this.#client.query(SHIFT, [ms]);
  }

  close(): Promise<void> {
    return this.#client.end();
  }
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  await client.connect();
  return client;
}
