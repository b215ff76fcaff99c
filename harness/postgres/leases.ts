import { randomBytes } from "node:crypto";
import { HarnessError } from "../core/error.ts";
import { AdminConnection, withClient, withDatabase } from "./connection.ts";
import { copyOf, MARK, markDatabase, saveDatabase } from "./saved-database.ts";
import type { Database } from "./server.ts";
import { type CreateOptions, SERVER_DEFAULTS } from "./settings.ts";

const PREFIX = "heddle_";
const INSUFFICIENT_PRIVILEGE = "42501";

/**
 * Creates and drops the disposable databases of one server. The admin connection holds an advisory lock
 * for each database, whose key is the database's name, so that other processes know that it is in use.
 */
export class Leases {
  readonly #admin: AdminConnection;
  readonly #url: string;
  readonly #createOptions: CreateOptions;
  readonly #onChange: (names: readonly string[]) => void;
  readonly #names = new Set<string>();
  /** Whether the admin connection's role is a superuser; undefined until that is known. */
  #superuser: boolean | undefined;

  /**
   * @param options.url the server's URL for the users of a database. Default: the admin connection's.
   * @param options.createOptions the options of CREATE DATABASE. Default: those of the server.
   * @param options.onChange called with the names of all databases, before one is created and after one
   * was dropped.
   */
  constructor(
    admin: AdminConnection,
    options: {
      readonly url?: string | undefined;
      readonly createOptions?: CreateOptions;
      readonly onChange?: (names: readonly string[]) => void;
    } = {},
  ) {
    this.#admin = admin;
    this.#url = options.url ?? admin.url;
    this.#createOptions = options.createOptions ?? SERVER_DEFAULTS;
    this.#onChange = options.onChange ?? (() => {});
  }

  async lease(): Promise<Database> {
    const name = `${PREFIX}${randomBytes(8).toString("hex")}`;
    this.#names.add(name);
    this.#onChange([...this.#names]);
    try {
      await this.#admin.lock(keyOf(name));
      const { empty } = this.#createOptions;
      await this.#admin.query(`create database ${name} template template0 ${empty}`);
      await markDatabase(this.#admin, name);
      const lockWaits = await this.#pushLockWaits(name);
      const url = withDatabase(this.#url, name);
      const ownerUrl = await this.#createOwner(name, url);
      let restore = async (): Promise<void> => {
        throw new Error(`the database ${name} was not saved`);
      };
      return {
        ...{ url, ownerUrl, name, lockWaits },
        save: async () => {
          const saving = saveDatabase(this.#admin, name, this.#createOptions.copy);
          restore = await saving.catch(failedTo("copy a database"));
        },
        restore: () => restore().catch(failedTo("restore a database")),
        drop: () => this.#drop(name),
      };
    } catch (cause) {
      await this.#drop(name).catch(() => {});
      return failedTo("create a database")(cause);
    }
  }

  /**
   * Has the server send a notice to a session that waits for a lock, which it does after its check for a
   * deadlock. Since the check is early, the session that closes a cycle becomes the deadlock's victim.
   * The notices do not go to the server's log. All four settings are one message, and so one transaction.
   */
  async #pushLockWaits(name: string): Promise<"pushed" | "polled"> {
    try {
      await this.#admin.query(
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

  /** Creates the role that owns a database, which has its name. Only a superuser can create another. */
  async #createOwner(name: string, url: string): Promise<string> {
    this.#superuser ??= await isSuperuser(this.#admin);
    if (!this.#superuser) return url;
    const password = randomBytes(16).toString("hex");
    await this.#admin.query(
      `create role ${name} superuser login password '${password}';
       alter database ${name} owner to ${name}`,
    );
    const owner = new URL(url);
    owner.username = name;
    owner.password = password;
    return owner.href;
  }

  async #drop(name: string): Promise<void> {
    if (!this.#names.has(name)) return;
    await dropDatabase(this.#admin, name);
    if (!this.#names.delete(name)) return;
    this.#onChange([...this.#names]);
    await this.#admin.unlock(keyOf(name));
  }

  /** Drops the databases that are left. */
  async close(): Promise<void> {
    try {
      for (const name of [...this.#names]) await this.#drop(name);
    } finally {
      await this.#admin.close();
    }
  }

  /** Closes the admin connection and drops nothing, since the whole server is about to end. */
  async abandon(): Promise<void> {
    this.#names.clear();
    await this.#admin.close();
  }
}

/** Throws HarnessError PROVIDER_FAILED for an error of the server. */
function failedTo(what: string): (cause: unknown) => never {
  return (cause) => {
    const message = `Cannot ${what}: ${(cause as Error).message}`;
    throw new HarnessError("PROVIDER_FAILED", message, { cause });
  };
}

/** The key of a database's advisory lock: the 16 hexadecimal digits of its name as 64 bits. */
function keyOf(name: string): bigint {
  return BigInt.asIntN(64, BigInt(`0x${name.slice(PREFIX.length)}`));
}

/** Ends the rights of a superuser that the owner of a database has for its setup. */
export async function sealOwner({ name, url, ownerUrl }: Database): Promise<void> {
  if (ownerUrl === url) return;
  await withClient(url, (client) => client.query(`alter role ${name} nosuperuser`));
}

async function isSuperuser(admin: AdminConnection): Promise<boolean> {
  const [role] = await admin.query<{ superuser: boolean }>(
    "select rolsuper as superuser from pg_roles where rolname = current_user",
  );
  return role?.superuser === true;
}

/** Drops a database, its copy, and the role that owns both, whose name is the database's. None of them need exist. */
async function dropDatabase(admin: AdminConnection, name: string): Promise<void> {
  await admin.query(`drop database if exists ${copyOf(name)} with (force)`);
  await admin.query(`drop database if exists ${name} with (force)`);
  const [role] = await admin.query("select from pg_roles where rolname = $1", [name]);
  if (role === undefined) return;
  // What the role may have elsewhere are rights on objects that all databases share.
  await admin.query(`drop owned by ${name}; drop role ${name}`);
}

/** Drops databases by name; some may not exist any more. */
export async function dropDatabases(url: string, names: readonly string[]): Promise<void> {
  const admin = new AdminConnection(url);
  try {
    for (const name of names) await dropDatabase(admin, name);
  } finally {
    await admin.close();
  }
}

/**
 * Drops abandoned databases: those with Heddle's comment whose advisory lock no session holds. Skips
 * databases that this role may not drop.
 */
export async function sweepDatabases(admin: AdminConnection): Promise<void> {
  // An advisory lock belongs to the database where it was taken, but pg_locks lists those of all.
  const abandoned = await admin.query<{ name: string }>(
    `select distinct left(datname, ${PREFIX.length + 16}) as name from pg_database as d
     where datname ~ $1 and shobj_description(oid, 'pg_database') = $2
       and pg_has_role(datdba, 'usage')
       and not exists (
         select from pg_locks
         where locktype = 'advisory' and objsubid = 1
           and lpad(to_hex(classid::bigint), 8, '0') || lpad(to_hex(objid::bigint), 8, '0')
             = substr(d.datname, ${PREFIX.length + 1}, 16))`,
    [`^${PREFIX}[0-9a-f]{16}(${copyOf("")})?$`, MARK],
  );
  for (const { name } of abandoned) {
    await dropDatabase(admin, name).catch(() => {});
  }
}
