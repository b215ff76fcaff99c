import { join } from "node:path";
import type { HarnessError } from "../core/error.ts";
import { type Address, urlOf } from "./address.ts";
import { AdminConnection } from "./connection.ts";
import { Leases } from "./leases.ts";
import { Relay } from "./relay.ts";
import type { RunFolder } from "./run-folder.ts";
import type { Server, ServerFaults } from "./server.ts";
import { databaseOptions } from "./settings.ts";

/** The faults of a server's processes, which its provider injects. */
export type ProcessFaults = Omit<ServerFaults, "cut" | "mend">;

/** A Postgres that a provider has started for this process alone. */
interface StartedPostgres {
  readonly provider: Server["provider"];
  /** Describes a server of a version. */
  readonly describe: (version: string) => string;
  readonly run: RunFolder;
  /** Stays the same after a restart. */
  readonly address: Address;
  /** The password of the superuser `postgres`. */
  readonly password: string;
  /** Undefined if the server was started without faults. */
  readonly faults: ProcessFaults | undefined;
  /** If the server has ended by itself: an error with the reason. */
  failure(): Promise<HarnessError | undefined>;
  /** Ends the server, and removes its files. */
  close(): Promise<void>;
}

/** A server that Heddle has started, and that ends with `stop`. */
export async function disposableServer(started: StartedPostgres): Promise<Server> {
  const { run, address, password } = started;
  const admin = new AdminConnection(urlOf(address, password));
  const version = await admin.version();
  const relay = started.faults && (await Relay.open(join(run.path, "link"), address));
  const leases = new Leases(admin, {
    url: relay && urlOf(relay.address, password),
    createOptions: databaseOptions(version),
  });
  const { faults, undo } =
    relay && started.faults ? serverFaults(started.faults, relay, admin) : NO_FAULTS;
  const stop = async () => {
    await undo();
    await leases.abandon();
    await started.close();
  };
  let stopped: Promise<void> | undefined;
  return {
    provider: started.provider,
    version,
    superuser: true,
    description: started.describe(version),
    folder: run.harnessFolder,
    ...(faults && { faults }),
    lease: () =>
      leases.lease().catch(async (error: unknown) => {
        throw (stopped === undefined && (await started.failure())) || error;
      }),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

const NO_FAULTS = { faults: undefined, undo: async () => {} };

/** The faults of the processes and of the relay; `undo` makes it possible to stop the server. */
function serverFaults(
  processes: ProcessFaults,
  relay: Relay,
  admin: AdminConnection,
): { readonly faults: ServerFaults; readonly undo: () => Promise<void> } {
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
      await admin.version();
    },
    cut: () => relay.cut(),
    mend: () => relay.mend(),
  };
  // A paused server neither ends the admin connection nor obeys a shutdown.
  const undo = async () => {
    if (paused) await resume();
    await relay.cut();
  };
  return { faults, undo };
}
