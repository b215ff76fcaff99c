import { mkdtemp, rm } from "node:fs/promises";
import { join } from "node:path";
import { Client } from "pg";
import type { Control, Isolation } from "../core/control.ts";
import type { Footprints } from "../footprints/footprints.ts";
import { type InnerGates, installGates } from "../instrumentation/inner-gates.ts";
import type { Database, Server } from "../postgres/provider.ts";
import { WireProxy } from "../proxy/wire-proxy.ts";
import { type BackendSignals, localBackendSignals } from "./backend-signals.ts";
import { attributed } from "./error-attribution.ts";
import { LockWaits } from "./lock-waits.ts";
import { Queries, type Query } from "./queries.ts";
import { type RoutineHashes, routineHashes } from "./routines.ts";

export interface WorkspaceOptions {
  readonly control: Control;
  /** Asked for what requests may touch (`readFootprints`), for schedulers that leave out by it. */
  readonly footprints?: (directUrl: string, isolation: Isolation) => Promise<Footprints>;
  /** Whether to hash the schema's routines, as they are before gates are put into them. */
  readonly hashRoutines?: boolean;
  /** Asked whenever state is observed, besides what the system observes. */
  readonly queries?: readonly Query[];
}

/** What stands around the system under test: its database, and all that Heddle has at it. */
export interface Workspace {
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
export async function openWorkspace(
  server: Server,
  migrate: (directUrl: string) => Promise<void>,
  options: WorkspaceOptions,
): Promise<Workspace> {
  const undo: (() => Promise<void>)[] = [];
  try {
    const database = await server.lease();
    undo.push(() => database.drop());
    await attributed("the service's migrate()", migrate(database.url));
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
export async function reopenWorkspace({ lockWaits, gates, queries }: Workspace): Promise<void> {
  await lockWaits.reopen();
  await gates?.reopen();
  await queries?.reopen();
}

/** Ends whatever is under way, and drops the database. */
export async function closeWorkspace(
  parts: Workspace,
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
