import { join } from "node:path";
import type { HarnessError } from "../core/error.ts";
import { type Address, urlOf } from "./address.ts";
import { AdminConnection } from "./connection.ts";
import { Leases } from "./leases.ts";
import { Relay } from "./relay.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Server, ServerFaults } from "./server.ts";
import { databaseOptions } from "./settings.ts";

/** What can happen to the processes of a server; what can happen to its network is the same for all. */
export type ProcessFaults = Omit<ServerFaults, "cut" | "mend">;

/** A Postgres that we started and that nobody else uses. */
interface StartedPostgres {
  readonly provider: Server["provider"];
  /** Given the version. */
  readonly describe: (version: string) => string;
  readonly run: RunFolder;
  /** The same for as long as it exists, also after a restart. */
  readonly address: Address;
  /** Of its superuser `postgres`. */
  readonly password: string;
  /** If faults are wanted. */
  readonly faults: ProcessFaults | undefined;
  /** If the server has ended by itself: why. */
  failure(): Promise<HarnessError | undefined>;
  /** Ends it, and removes what it left. */
  close(): Promise<void>;
}

export async function disposableServer(own: StartedPostgres): Promise<Server> {
  const { run, address, password } = own;
  const session = new AdminConnection(urlOf(address, password));
  const version = await session.version();
  const relay = own.faults && (await Relay.open(join(run.path, "link"), address));
  const leases = new Leases(session, {
    url: relay && urlOf(relay.address, password),
    options: databaseOptions(version),
  });
  const { faults, settle } =
    relay && own.faults ? serverFaults(own.faults, relay, session) : NO_FAULTS;
  const stop = async () => {
    await settle();
    await leases.abandon();
    await own.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    provider: own.provider,
    version,
    description: own.describe(version),
    folder: run.own,
    ...(faults && { faults }),
    lease: () =>
      leases.lease().catch(async (error: unknown) => {
        throw (stopped === undefined && (await own.failure())) || error;
      }),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

const NO_FAULTS = { faults: undefined, settle: async () => {} };

function serverFaults(
  processes: ProcessFaults,
  relay: Relay,
  session: AdminConnection,
): { readonly faults: ServerFaults; readonly settle: () => Promise<void> } {
  let paused = false;
  const resume = async () => {
    await processes.resume();
    paused = false;
  };
  const faults: ServerFaults = {
    pause: async () => {
      paused = true;
      await processes.pause();
    },
    resume,
    kill: async () => {
      paused = false;
      await processes.kill();
    },
    restart: async () => {
      await processes.restart();
      await session.version();
    },
    cut: () => relay.cut(),
    mend: () => relay.mend(),
  };
  // A paused server would neither let our session end nor end itself.
  const settle = async () => {
    if (paused) await resume();
    await relay.cut();
  };
  return { faults, settle };
}
