import type { Client } from "pg";
import { HarnessError } from "../core/error.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import { controlConnection } from "../postgres/connection.ts";
import type { Server } from "../postgres/provider.ts";
import {
  type GatedDatabase,
  type GatedDatabaseOptions,
  openGatedDatabase,
} from "./gated-database.ts";
import { type System, type SystemFactory, startSystem } from "./system.ts";
import type { WaitLimits } from "./wait-limits.ts";

/** The interval at which the connections of a setup are looked at, in ms. */
const POLL_MS = 250;

export interface SetupLimits {
  /** How long the database may have nothing to do, in ms. */
  readonly stepTimeoutMs: number;
  /** How long the setup may take in all, in ms. Default: no limit. */
  readonly setupMs?: number | undefined;
}

/** A connection to the database that is set up, apart from Heddle's own. */
interface SetupConnection {
  readonly pid: number;
  /** Such as `idle`. */
  readonly state: string;
  /** Whether it has a statement under way that does not wait for another connection. */
  readonly works: boolean;
  /** When it began or ended a statement last. */
  readonly since: string;
  readonly application: string;
  /** Its last statement. */
  readonly query: string;
}

const CONNECTIONS = `
  select pid, coalesce(state, 'starting') as state, application_name as application, query,
         state = 'active' and wait_event_type is distinct from 'Lock' as works,
         coalesce(state_change, backend_start)::text as since
    from pg_stat_activity
   where datname = current_database() and pid <> pg_backend_pid() and backend_type = 'client backend'
   order by pid`;

/**
 * The result of a setup. A setup waits for ever when the database has nothing to do for a whole step
 * timeout: no connection has a statement under way, and none was opened or closed. Throws HarnessError
 * `STEP_TIMEOUT`, with the connections that are open, then and when `setupMs` is over.
 */
async function boundedSetup<T>(
  directUrl: string,
  setup: () => Promise<T>,
  limits: WaitLimits,
  { stepTimeoutMs, setupMs = Number.POSITIVE_INFINITY }: SetupLimits,
): Promise<T> {
  let client: Client | undefined;
  const began = performance.now();
  let looks: Promise<void> = Promise.resolve();
  let active = began;
  let before = "";
  let looking: NodeJS.Timeout | undefined;
  const stuck = new Promise<never>((_, reject) => {
    const look = async () => {
      // A setup that ends before the first look needs no connection.
      client ??= await controlConnection(directUrl, "heddle");
      const { rows: connections } = await client.query<SetupConnection>(CONNECTIONS);
      const now = performance.now();
      const state = JSON.stringify(connections);
      if (state !== before || connections.some(({ works }) => works)) active = now;
      before = state;
      const idle = now - active > stepTimeoutMs;
      if (!idle && now - began <= setupMs) return;
      const why = idle
        ? `its database has had nothing to do for ${stepTimeoutMs} ms (raise --step-timeout if that is right)`
        : `the time was up after ${setupMs} ms`;
      const open = connections.map(sentenceOf).join("; ") || "none";
      reject(
        new HarnessError(
          "STEP_TIMEOUT",
          `the setup did not end: ${why}; open connections: ${open}`,
        ),
      );
    };
    looking = setInterval(() => {
      looks = looks.then(look).catch(reject);
    }, POLL_MS);
  });
  try {
    return await limits.race(Promise.race([setup(), stuck]));
  } finally {
    clearInterval(looking);
    await looks;
    await client?.end();
  }
}

function sentenceOf({ state, application, query }: SetupConnection): string {
  const name = application === "" ? "" : ` of ${application}`;
  const last = query === "" ? "no statement yet" : `its last statement is: ${query}`;
  return `one${name} that is ${state}, ${last}`;
}

/** Opens the database of an executor: its setup is bounded. */
export function openDatabase<State extends Json, Op extends Operation>(
  server: Server,
  factory: SystemFactory<State, Op>,
  options: GatedDatabaseOptions & SetupLimits,
  limits: WaitLimits,
): Promise<GatedDatabase> {
  const { freeze } = options.control;
  const migrate = (url: string) =>
    boundedSetup(url, () => factory.migrate(url, freeze), limits, options);
  return openGatedDatabase(server, migrate, options);
}

/** The longest start of a system, in ms. */
const START_MS = 60_000;

/** Starts a system. One that starts after its start was given up is stopped. */
export async function startBounded<State extends Json, Op extends Operation>(
  server: Server,
  database: GatedDatabase,
  factory: SystemFactory<State, Op>,
  options: Parameters<typeof startSystem>[3],
  limits: WaitLimits,
): Promise<System<State, Op>> {
  const starting = startSystem(server, database, factory, options);
  try {
    return await limits.within("the service's start()", starting, START_MS);
  } catch (error) {
    starting.then((system) => system.stop()).catch(() => {});
    throw error;
  }
}
