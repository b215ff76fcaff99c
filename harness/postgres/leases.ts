import { randomBytes } from "node:crypto";
import { HarnessError } from "../core/error.ts";
import { AdminConnection, withDatabase } from "./connection.ts";
import type { Database } from "./server.ts";

const PREFIX = "heddle_";
const MARK = "Made by Heddle, and disposable";
const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * The disposable databases of one server: creates them, and knows those that are not dropped yet.
 * For each of them its session holds the advisory lock whose key is the database's name, so that
 * others can tell which ones are in use.
 */
export class Leases {
  readonly #session: AdminConnection;
  readonly #url: string;
  readonly #options: string;
  readonly #onChange: (names: readonly string[]) => void;
  readonly #names = new Set<string>();

  /**
   * @param given.url the way for those who lease; without one, our own.
   * @param given.options what CREATE DATABASE is to be told; without them, what the server has.
   * @param given.onChange is told the names of all databases that exist, before one is created and
   * after one was dropped.
   */
  constructor(
    session: AdminConnection,
    given: {
      readonly url?: string | undefined;
      readonly options?: string;
      readonly onChange?: (names: readonly string[]) => void;
    } = {},
  ) {
    this.#session = session;
    this.#url = given.url ?? session.url;
    this.#options = given.options ?? "";
    this.#onChange = given.onChange ?? (() => {});
  }

  async lease(): Promise<Database> {
    const name = `${PREFIX}${randomBytes(8).toString("hex")}`;
    this.#names.add(name);
    this.#onChange([...this.#names]);
    try {
      await this.#session.lock(keyOf(name));
      await this.#session.query(`create database ${name} template template0 ${this.#options}`);
      await this.#session.query(`comment on database ${name} is '${MARK}'`);
      const lockWaits = await this.#pushLockWaits(name);
      return {
        url: withDatabase(this.#url, name),
        name,
        lockWaits,
        drop: () => this.#drop(name),
      };
    } catch (cause) {
      await this.#drop(name).catch(() => {});
      throw new HarnessError(
        "PROVIDER_FAILED",
        `Cannot create a database: ${(cause as Error).message}`,
        { cause },
      );
    }
  }

  /**
   * Lets the server tell a session itself that it waits for a lock, which it does after its check
   * for a deadlock. That check being so early also makes the one that closed a cycle its victim.
   * The server's own log is spared all of it. All or nothing: statements that are sent as one are
   * one transaction.
   */
  async #pushLockWaits(name: string): Promise<"pushed" | "polled"> {
    try {
      await this.#session.query(
        `alter database ${name} set deadlock_timeout = '1ms';
         alter database ${name} set log_lock_waits = on;
         alter database ${name} set client_min_messages = log;
         alter database ${name} set log_min_messages = fatal`,
      );
      return "pushed";
    } catch (error) {
      if ((error as { code?: string }).code === INSUFFICIENT_PRIVILEGE) return "polled";
      throw error;
    }
  }

  async #drop(name: string): Promise<void> {
    if (!this.#names.has(name)) return;
    await this.#session.query(`drop database if exists ${name} with (force)`);
    if (!this.#names.delete(name)) return;
    this.#onChange([...this.#names]);
    await this.#session.unlock(keyOf(name));
  }

  /** Drops what is left. */
  async close(): Promise<void> {
    try {
      for (const name of [...this.#names]) await this.#drop(name);
    } finally {
      await this.#session.close();
    }
  }

  /** Closes our session, and leaves what is left to the end of the whole server. */
  async abandon(): Promise<void> {
    this.#names.clear();
    await this.#session.close();
  }
}

/** The 16 hexadecimal digits of a name are the 64 bits of its advisory lock's key. */
function keyOf(name: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${name.slice(PREFIX.length)}`));
}

/** Drops databases by name, those that still exist. */
export async function dropDatabases(url: string, names: readonly string[]): Promise<void> {
  const session = new AdminConnection(url);
  try {
    for (const name of names) {
      await session.query(`drop database if exists ${name} with (force)`);
    }
  } finally {
    await session.close();
  }
}

/**
 * Drops the databases that Heddle made, as their comments say, and that nobody uses any more, as
 * their locks say, in so far as we may.
 */
export async function sweepDatabases(session: AdminConnection): Promise<void> {
  // An advisory lock belongs to the database where it was taken, but is listed in all of them.
  const abandoned = await session.query<{ name: string }>(
    `select datname as name from pg_database as d
     where datname ~ $1 and shobj_description(oid, 'pg_database') = $2
       and pg_has_role(datdba, 'usage')
       and not exists (
         select from pg_locks
         where locktype = 'advisory' and objsubid = 1
           and lpad(to_hex(classid::bigint), 8, '0') || lpad(to_hex(objid::bigint), 8, '0')
             = right(d.datname, 16))`,
    [`^${PREFIX}[0-9a-f]{16}$`, MARK],
  );
  for (const { name } of abandoned) {
    await session.query(`drop database if exists ${name} with (force)`).catch(() => {});
  }
}
