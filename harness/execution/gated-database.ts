import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import type { Control, Isolation } from "../core/control.ts";
import { type Footprints, readFootprints } from "../footprints/footprints.ts";
import type { WireGates } from "../instrumentation/gate-kind.ts";
import { type InnerGates, installGates } from "../instrumentation/inner-gates.ts";
import { controlConnection, rowsOf, withClient } from "../postgres/connection.ts";
import { sealOwner } from "../postgres/leases.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { SchemaUndo } from "../postgres/schema-undo.ts";
import type { BackendSignals } from "../proxy/pending-statement.ts";
import { offerPortPassword } from "../proxy/port-password.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import { localBackendSignals } from "./blocked-backends.ts";
import { HeldConflict } from "./held-conflict.ts";
import { LockWaits } from "./lock-waits.ts";
import { Queries, type Query } from "./observation.ts";
import { runAll } from "./run-all.ts";
import { attributed, type System } from "./system.ts";

/** SHA-256 of each routine's definition, by name and types of arguments. */
export type RoutineHashes = { readonly [routine: string]: string };

export interface GatedDatabaseOptions {
  readonly control: Control;
  /** Reads the footprints of a schema, for schedulers that skip equivalent schedules. */
  readonly footprints?: (
    directUrl: string,
    isolation: Isolation,
    wire?: WireGates,
  ) => Promise<Footprints>;
  /** Whether to hash the schema's routines, before gates are put into them. */
  readonly hashRoutines?: boolean;
  /** Queries to observe committed state by, besides what the system observes. */
  readonly queries?: readonly Query[];
}

/** A migrated, disposable database, and everything through which Heddle controls and observes it. */
export interface GatedDatabase {
  readonly database: Database;
  /** A private folder for sockets. */
  readonly folder: string;
  readonly proxy: WireProxy;
  /**
   * A port of this machine that leads to the database past every gate: many libraries take a URL with a
   * host and a port, and none of a socket.
   */
  readonly directPort: { readonly url: string; readonly proxy: WireProxy; readonly folder: string };
  readonly lockWaits: LockWaits;
  /** Undefined when only statements are gated. */
  readonly gates: InnerGates | undefined;
  readonly footprints: Footprints | undefined;
  /** Whether a statement may change rows, through functions too. */
  readonly mayChange: (sql: string) => Promise<boolean>;
  /** Undefined when the server's processes are not on this machine, or not this user's. */
  readonly signals: BackendSignals | undefined;
  /** Whether a routine of the schema takes advisory locks. */
  readonly takesAdvisoryLocks: boolean;
  readonly queries: Queries | undefined;
  readonly conflict: HeldConflict;
  readonly schema: SchemaUndo;
  /** Empty unless `hashRoutines` was set. */
  readonly routines: RoutineHashes;
  /** Ends the offer of the ports' password in the environment. */
  readonly endOffer: () => void;
}

/**
 * Leases a database, migrates it, and opens everything else on it. Leaves nothing behind if that
 * fails.
 */
export async function openGatedDatabase(
  server: Server,
  migrate: (directUrl: string) => Promise<void>,
  options: GatedDatabaseOptions,
): Promise<GatedDatabase> {
  const undo: (() => Promise<void>)[] = [];
  const endOffer = offerPortPassword();
  undo.push(async () => endOffer());
  try {
    const database = await server.lease();
    undo.push(() => database.drop());
    const directFolder = await mkdtemp(join(server.folder, "d"));
    undo.push(() => rm(directFolder, { recursive: true, force: true }));
    // A proxy without gates and without an observer: a port of this machine for every library.
    const direct = await WireProxy.start(database.url, directFolder, { ports: portsOf(database) });
    undo.push(() => direct.stop());
    const directPortUrl = await direct.urlFor();
    await attributed("the service's migrate()", migrate(directPortUrl));
    await sealOwner(database);
    const folder = await mkdtemp(join(server.folder, "x"));
    undo.push(() => rm(folder, { recursive: true, force: true }));
    const routines = options.hashRoutines ? await routineHashes(database.url) : {};
    const { gates: names, isolation } = options.control;
    await setDefaultIsolation(database, isolation);
    const inner = names.some((name) => name !== "statement");
    const gates = inner ? await installGates(database.url, names) : undefined;
    if (gates !== undefined) undo.push(() => gates.close());
    const proxy = await WireProxy.start(database.url, folder, {
      gates,
      ports: portsOf(database),
    });
    undo.push(() => proxy.stop());
    const lockWaits = await LockWaits.open(database.url);
    undo.push(() => lockWaits.close());
    const { queries: wanted = [] } = options;
    const queries = wanted.length > 0 ? await Queries.open(database.url, wanted) : undefined;
    if (queries !== undefined) undo.push(() => queries.close());
    const signals = server.provider === "embedded" ? localBackendSignals() : undefined;
    const footprints = await options.footprints?.(database.url, isolation, gates?.wire);
    let known = footprints && Promise.resolve(footprints);
    const mayChange = async (sql: string) => {
      known ??= readFootprints(database.url, isolation, gates?.wire);
      return (await known).of(sql).changes;
    };
    const takesAdvisoryLocks = await lockWaits.takesAdvisoryLocks();
    return {
      database,
      folder,
      proxy,
      lockWaits,
      gates,
      footprints,
      signals,
      takesAdvisoryLocks,
      queries,
      routines,
      endOffer,
      mayChange,
      conflict: new HeldConflict(database.url),
      schema: new SchemaUndo(database.url),
      directPort: { url: directPortUrl, proxy: direct, folder: directFolder },
    };
  } catch (error) {
    await runAll(undo.reverse());
    throw error;
  }
}

/** The ports lead to the role that owns the schema, and never to the superuser of Heddle. */
function portsOf({ url, ownerUrl }: Database): { url: string; refused: readonly string[] } {
  const superuser = decodeURIComponent(new URL(url).username);
  return { url: ownerUrl, refused: ownerUrl === url ? [] : [superuser] };
}

/** Opens Heddle's own connections again, after the server has ended them. */
async function reopenGatedDatabase({
  lockWaits,
  gates,
  queries,
  conflict,
  schema,
}: GatedDatabase): Promise<void> {
  for (const own of [conflict, schema]) await own.close().catch(() => {});
  await lockWaits.reopen();
  await gates?.reopen();
  await queries?.reopen();
}

/** Kills the server, calls `dead`, and starts it again; then `recover` has the system connect again. */
export async function crashServer(
  { faults }: Server,
  gated: GatedDatabase,
  dead: () => void,
  recover: () => Promise<void>,
): Promise<void> {
  const crash = async () => {
    await faults?.kill();
    dead();
    await faults?.restart();
    await reopenGatedDatabase(gated);
    await recover();
  };
  const outage = crash();
  gated.proxy.outage = outage.catch(() => {});
  await outage;
  gated.proxy.outage = undefined;
}

/** Ends all sessions, also in the server, and lets in no other until a system is started. */
export async function endBackends({ proxy, lockWaits }: GatedDatabase): Promise<void> {
  proxy.refuses = true;
  const sessions = [...proxy.sessions];
  for (const session of sessions) session.close();
  await lockWaits.terminate(sessions.map(({ pid }) => pid));
}

/** Prepares a database that was opened just now, and keeps a copy of it for `restoreGatedDatabase`. */
export async function saveGatedDatabase(
  gated: GatedDatabase,
  prepare: (directUrl: string) => Promise<void> = async () => {},
): Promise<void> {
  await attributed("the service's prepare()", prepare(gated.database.url));
  await runAll(connectionsOf(gated));
  await gated.database.save();
  await reopenGatedDatabase(gated);
}

/**
 * Ends whatever is under way, stops the system, and puts the database back as it was saved: with its gates, and
 * with the ids of its objects, so that all that was read of it stays true. The ports stay too.
 */
export async function restoreGatedDatabase(
  gated: GatedDatabase,
  stopSystem: () => Promise<void>,
): Promise<void> {
  endSessions(gated);
  await runAll([stopSystem, ...connectionsOf(gated)]);
  await gated.database.restore();
  await reopenGatedDatabase(gated);
}

/**
 * Ends all sessions, and undoes what was done to the schema. The system's `reset` then puts the rows back. A system
 * that is not stateless has to be started anew.
 *
 * @returns whether that was possible
 */
export async function undoSchema(
  gated: GatedDatabase,
  system: Pick<System, "restoresRows" | "stateless" | "disconnecting">,
): Promise<boolean> {
  if (system.restoresRows !== true) return false;
  gated.proxy.observer = undefined;
  system.disconnecting?.();
  await endBackends(gated);
  await gated.conflict.close();
  const isUndone = await gated.schema.undo();
  // Without a start no connection would be let in.
  if (isUndone && system.stateless) gated.proxy.refuses = false;
  return isUndone;
}

function endSessions({ proxy }: GatedDatabase): void {
  proxy.observer = undefined;
  for (const session of [...proxy.sessions]) session.close();
}

/**
 * Closes Heddle's own connections. The server would end them too, but notices their end only when it looks
 * again, after 100 ms (CountOtherDBBackends in src/backend/storage/ipc/procarray.c).
 */
function connectionsOf({ lockWaits, gates, queries, conflict, schema }: GatedDatabase) {
  return [
    () => lockWaits.close(),
    async () => gates?.close(),
    async () => queries?.close(),
    () => conflict.close(),
    () => schema.close(),
  ];
}

/** Ends whatever is under way, stops the system, and drops the database. */
export async function closeGatedDatabase(
  gated: GatedDatabase,
  stopSystem: () => Promise<void>,
): Promise<void> {
  endSessions(gated);
  const { database, folder, proxy, directPort, endOffer } = gated;
  await runAll([
    stopSystem,
    () => proxy.stop(),
    ...connectionsOf(gated),
    () => directPort.proxy.stop(),
    () => rm(directPort.folder, { recursive: true, force: true }),
    () => database.drop(),
    () => rm(folder, { recursive: true, force: true }),
    async () => endOffer(),
  ]);
}

/** The default of the database applies to every session, whatever its driver. */
async function setDefaultIsolation({ name, url }: Database, isolation: Isolation): Promise<void> {
  if (isolation === "read committed") return;
  const client = await controlConnection(url, "heddle");
  try {
    await client.query(`alter database ${name} set default_transaction_isolation = '${isolation}'`);
  } finally {
    await client.end();
  }
}

/**
 * All functions, procedures and trigger functions outside the system's schemas, except those of
 * extensions. The hash is that of the whole definition as the server writes it (pg_get_functiondef):
 * the body, language, volatility, rights and settings.
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

/** Hashes the routines of a database. It must not have Heddle's own, which are there during a run. */
export async function routineHashes(url: string): Promise<RoutineHashes> {
  const rows = await withClient(url, (client) => rowsOf(client, HASHES));
  return Object.fromEntries(rows.map(({ routine, hash }) => [String(routine), String(hash)]));
}
