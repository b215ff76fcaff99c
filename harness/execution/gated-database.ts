import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Control, Isolation } from "../core/control.ts";
import type { Footprints } from "../footprints/footprints.ts";
import { type InnerGates, installGates } from "../instrumentation/inner-gates.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import { type BackendSignals, localBackendSignals } from "./blocked-backends.ts";
import { LockWaits } from "./lock-waits.ts";
import { Queries, type Query } from "./observation.ts";
import { attributed } from "./system.ts";

export interface GatedDatabaseOptions {
  readonly control: Control;
  /** Asked for what requests may touch (`readFootprints`), for schedulers that leave out by it. */
  readonly footprints?: (directUrl: string, isolation: Isolation) => Promise<Footprints>;
  /** Whether to hash the schema's routines, as they are before gates are put into them. */
  readonly hashRoutines?: boolean;
  /** Asked whenever state is observed, besides what the system observes. */
  readonly queries?: readonly Query[];
}

/** What stands around the system under test: its database, and all that Heddle has at it. */
export interface GatedDatabase {
  readonly database: Database;
  readonly folder: string;
  readonly proxy: WireProxy;
  readonly lockWaits: LockWaits;
  readonly gates: InnerGates | undefined;
  readonly footprints: Footprints | undefined;
  /** Where the server's processes are ours, and on this machine. */
  readonly freezer: BackendSignals | undefined;
  /** Whether routines of the schema take advisory locks. */
  readonly advisory: boolean;
  /** What is asked besides what the system observes. */
  readonly queries: Queries | undefined;
  /** Empty unless they were asked for. */
  readonly routines: RoutineHashes;
}

/** Leases a database, migrates it, and installs what Heddle needs. Leaves nothing if that fails. */
export async function openGatedDatabase(
  server: Server,
  migrate: (directUrl: string) => Promise<void>,
  options: GatedDatabaseOptions,
): Promise<GatedDatabase> {
  const undo: (() => Promise<void>)[] = [];
  try {
    const database = await server.lease();
    undo.push(() => database.drop());
    await attributed("the model's migrate()", migrate(database.url));
    const folder = await mkdtemp(join(server.folder, "x"));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const routines = options.hashRoutines ? await routineHashes(database.url) : {};
    const { gates: levels, isolation } = options.control;
    await isolate(database, isolation);
    const inner = levels.some((level) => level !== "statement");
    const gates = inner ? await installGates(database.url, levels) : undefined;
    if (gates !== undefined) undo.push(() => gates.close());
    const proxy = await WireProxy.start(database.url, folder, gates?.locks);
    undo.push(() => proxy.stop());
    const lockWaits = await LockWaits.open(database.url);
    undo.push(() => lockWaits.close());
    const { queries: asked = [] } = options;
    const queries = asked.length > 0 ? await Queries.open(database.url, asked) : undefined;
    if (queries !== undefined) undo.push(() => queries.close());
    const freezer = server.provider === "embedded" ? localBackendSignals() : undefined;
    const footprints = await options.footprints?.(database.url, isolation);
    const advisory = await lockWaits.takesAdvisoryLocks();
    return {
      ...{ database, folder, proxy, lockWaits, gates, footprints, freezer, advisory, queries },
      routines,
    };
  } catch (error) {
    await inTurn(undo.reverse());
    throw error;
  }
}

/** The server was killed, and is there again: all sessions that Heddle had at it are opened anew. */
export async function reopenGatedDatabase({
  lockWaits,
  gates,
  queries,
}: GatedDatabase): Promise<void> {
  await lockWaits.reopen();
  await gates?.reopen();
  await queries?.reopen();
}

/** Ends whatever is under way, and drops the database. */
export async function closeGatedDatabase(
  parts: GatedDatabase,
  stopSystem: () => Promise<void>,
): Promise<void> {
  const { database, folder, proxy, lockWaits, gates, queries } = parts;
  proxy.observer = undefined;
  for (const session of [...proxy.sessions]) session.close();
  await inTurn([
    stopSystem,
    () => lockWaits.close(),
    () => proxy.stop(),
    async () => gates?.close(),
    async () => queries?.close(),
    () => database.drop(),
    () => rm(folder, { recursive: true, force: true }),
  ]);
}

/**
 * Cleans up, as far as it can be done: what fails here must not hide why it came to this. What is
 * left, the server removes when it stops.
 */
async function inTurn(steps: readonly (() => Promise<void>)[]): Promise<void> {
  for (const step of steps) await step().catch(() => {});
}

/** The default of the database reaches every session, whatever its driver; nothing else changes. */
async function isolate({ name, url }: Database, isolation: Isolation): Promise<void> {
  if (isolation === "read committed") return;
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(`alter database ${name} set default_transaction_isolation = '${isolation}'`);
  } finally {
    await client.end();
  }
}

/** SHA-256 of each routine's definition, by name and types of arguments. */
export type RoutineHashes = { readonly [routine: string]: string };

/**
 * Of all functions, procedures and trigger functions outside of the system's schemas, but for those
 * of extensions. What is hashed is the whole definition as the server writes it (pg_get_functiondef):
 * the body as it stands, language, volatility, rights and settings.
 */
const HASHES = `
  select format('%I.%I(%s)', n.nspname, p.proname,
                replace(oidvectortypes(p.proargtypes), ', ', ',')) as routine,
         encode(sha256(convert_to(pg_get_functiondef(p.oid), 'UTF8')), 'hex') as hash
    from pg_proc p join pg_namespace n on n.oid = p.pronamespace
   where p.prokind <> 'a' and n.nspname !~ '^pg_' and n.nspname <> 'information_schema'
     and not exists (select from pg_depend d
                      where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
   order by 1`;

/** Hashes the routines of a database, reading only. Heddle's own are there only while it verifies. */
export async function routineHashes(url: string): Promise<RoutineHashes> {
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    const { rows } = await client.query<{ routine: string; hash: string }>(HASHES);
    return Object.fromEntries(rows.map(({ routine, hash }) => [routine, hash]));
  } finally {
    await client.end();
  }
}
