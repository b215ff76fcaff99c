import type { Client } from "pg";
import { realNow } from "../core/real-clock.ts";
import type { Statement } from "../core/trace.ts";
import type { UngatedPart } from "../instrumentation/ungated-parts.ts";
import { controlConnection } from "../postgres/connection.ts";
import type { PendingStatement } from "../proxy/pending-statement.ts";
import type { LockWaits } from "./lock-waits.ts";

/** How long the row may take to be inserted, and clients to wait for it, in ms. */
const MOST_MS = 300;

/**
 * Holds sessions in the check of an exclusion constraint, where no gate can stand. A session of the harness's own
 * inserts the row that a client is about to insert, with other values in the columns of unique indexes, and
 * does not commit. Clients that have inserted conflicting rows then wait for it in their checks. Once it has
 * rolled back, each looks for conflicts again, and finds the rows of the others, as if all of them had
 * inserted before any had looked.
 *
 * That is possible for a statement that inserts one row, where the session may leave out triggers and foreign
 * keys, and each unique index has a column of a type with many values that the constraint does not have.
 * Nothing is held otherwise. Sequences are set back.
 */
export class HeldConflict {
  readonly #url: string;
  #client: Client | undefined;
  #held = false;

  constructor(directUrl: string) {
    this.#url = directUrl;
  }

  /** Whether a conflicting row is there that `release` takes away. */
  get isHeld(): boolean {
    return this.#held;
  }

  /** Before a statement goes on into one of the parts that is an exclusion constraint: inserts the conflicting row. */
  async hold(parts: readonly UngatedPart[], { state, statement }: PendingStatement): Promise<void> {
    const place = state.at === "gate" ? state.gate.place : undefined;
    const part = parts.find((one) => one.follows(place, statement.sql));
    if (part?.excludes !== undefined && !this.#held) await this.#insert(part.excludes, statement);
  }

  async #insert(table: string, { sql, values }: Statement): Promise<void> {
    try {
      const client = await this.#connected();
      await client.query(BEGIN);
      const { rows: sequences } = await client.query<{ back: string }>(SEQUENCES, [table]);
      await client.query(sql, [...values]);
      const { rows } = await client.query<{ row: object }>(
        `select to_jsonb(new) as row from ${table} as new where xmin = pg_current_xact_id()::xid`,
      );
      // The statement may have taken locks that outlast its transaction.
      await client.query("rollback; select pg_advisory_unlock_all()");
      for (const { back } of sequences) await client.query(back);
      if (rows.length !== 1) return;
      await client.query(BEGIN);
      const { rows: columns } = await client.query<Columns>(COLUMNS, [table]);
      const [{ all = null, replaced = "" } = {}] = columns;
      if (all === null) throw new Error(`the rows of ${table} have no other values`);
      await client.query(
        `insert into ${table} (${all}) overriding system value
         select ${all} from jsonb_populate_record(null::${table}, $1::jsonb || jsonb_build_object(${replaced}))`,
        [JSON.stringify(rows[0]?.row)],
      );
      this.#held = true;
    } catch {
      // Without the row the clients meet by chance.
      await this.#client?.query("rollback; select pg_advisory_unlock_all()").catch(() => {});
    }
  }

  /** Waits until the statements wait, or a short time, and releases them. */
  async release(
    statements: readonly PendingStatement[],
    lockWaits: Pick<LockWaits, "blockers">,
  ): Promise<void> {
    if (!this.#held) return;
    this.#held = false;
    const pids = statements.map(({ session }) => session.pid);
    const allWait = async () => {
      const blockers = await lockWaits.blockers(pids);
      return pids.every((pid) => (blockers.get(pid)?.length ?? 0) > 0);
    };
    try {
      for (const end = realNow() + MOST_MS; realNow() < end && !(await allWait()); );
    } finally {
      await this.#client?.query("rollback").catch(() => {});
    }
  }

  async close(): Promise<void> {
    await this.#client?.end();
    this.#client = undefined;
  }

  async #connected(): Promise<Client> {
    if (this.#client === undefined) {
      this.#client = await controlConnection(this.#url, "heddle conflicts");
    }
    return this.#client;
  }
}

/** Triggers are a superuser's to leave out. */
const BEGIN = `begin; set local lock_timeout = ${MOST_MS}; set local session_replication_role = replica`;

interface Columns {
  /** The columns that can be inserted; null where a unique index has no column that can be replaced. */
  readonly all: string | null;
  /** Names and expressions for jsonb_build_object. */
  readonly replaced: string | null;
}

const SEQUENCES = `
select format('select setval(%L, %s, %L)', s.seqrelid::regclass, coalesce(last_value, seqstart), last_value is not null) as back
  from pg_sequence s join pg_depend d on d.objid = s.seqrelid and d.refobjid = $1::regclass
  cross join lateral (select pg_sequence_last_value(s.seqrelid) as last_value) as now`;

/** For each unique index, one column that no exclusion constraint has, with a value of its own. */
const COLUMNS = `
with replaceable as (
  select i.indexrelid as index, min(a.attnum) as attnum
    from pg_index i join pg_attribute a on attrelid = indrelid and attnum = any (indkey)
    join pg_type t on t.oid = atttypid
   where indrelid = $1::regclass and indisunique and typname in ('int2', 'int4', 'int8', 'numeric', 'uuid', 'text', 'varchar')
     and not exists (select from pg_constraint c where c.conrelid = indrelid and contype = 'x' and attnum = any (conkey))
   group by 1)
select case when exists (select from pg_index where indrelid = $1::regclass and indisunique
                                                and indexrelid not in (select index from replaceable))
            then null
            else (select string_agg(quote_ident(attname), ', ' order by attnum) from pg_attribute
                   where attrelid = $1::regclass and attnum > 0 and not attisdropped and attgenerated = '') end as all,
       (select string_agg(distinct format('%L, %s', attname,
                 case typname when 'uuid' then 'gen_random_uuid()'
                              when 'text' then 'gen_random_uuid()::text' when 'varchar' then 'gen_random_uuid()::text'
                              when 'int2' then '-floor(random() * 32000)' else '-floor(random() * 2000000000)' end), ', ')
          from replaceable r join pg_attribute a on attrelid = $1::regclass and a.attnum = r.attnum
          join pg_type t on t.oid = atttypid) as replaced`;
