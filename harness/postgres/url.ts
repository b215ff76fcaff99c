import { HarnessError } from "../core/error.ts";
import { type Address, urlOf } from "./address.ts";
import { AdminConnection, addressOf } from "./connection.ts";
import { Leases, sweepDatabases } from "./leases.ts";
import { RunFolder, sweepRunFolders } from "./run-folder.ts";
import type { Server } from "./server.ts";
import { databaseOptions } from "./settings.ts";

/** The first that has all that we use; older ones get no updates any more. */
const OLDEST = 14;

/**
 * Uses a server that runs already. Nothing is done outside the databases that we create there. The
 * URL has to lead to the server itself, or to a pooler that gives each client a session.
 */
export async function useServerAt(url: string, why = "as asked"): Promise<Server> {
  return use(url, {
    provider: "url",
    describe: (version) => `PostgreSQL ${version} at ${addressOf(url)} (${why})`,
    options: () => "",
  });
}

/** Uses a server that is ours, but outlives us, and that others of our runs may use meanwhile. */
export async function useReusedContainer(
  address: Address,
  password: string,
  describe: (version: string) => string,
): Promise<Server> {
  const kept = { provider: "container", describe, options: databaseOptions } as const;
  return use(urlOf(address, password), kept);
}

interface ExistingServer {
  readonly provider: Server["provider"];
  /** Given the version. */
  readonly describe: (version: string) => string;
  /** Of CREATE DATABASE, given the version. */
  readonly options: (version: string) => string;
}

async function use(url: string, { provider, describe, options }: ExistingServer): Promise<Server> {
  const session = new AdminConnection(url);
  const version = await requireRights(session);
  const run = await RunFolder.open(undefined);
  await Promise.allSettled([sweepDatabases(session), sweepRunFolders(), run.reaper.ready]);
  const leases = new Leases(session, {
    options: options(version),
    onChange: (names) => run.reaper.watchDatabases(url, names),
  });
  // What could not be dropped is tried again by the reaper.
  const stop = async () => {
    try {
      await leases.close();
    } finally {
      await run.close();
    }
  };
  let stopped: Promise<void> | undefined;
  return {
    provider,
    version,
    description: describe(version),
    folder: run.own,
    lease: () => leases.lease(),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Returns the server's version, or says what keeps us from using it. */
async function requireRights(session: AdminConnection): Promise<string> {
  const refuse = (message: string) => new HarnessError("PROVIDER_FAILED", message);
  const where = addressOf(session.url);
  try {
    const version = await session.version();
    if (Number.parseInt(version, 10) < OLDEST) {
      throw refuse(`PostgreSQL ${version} at ${where} is too old: use ${OLDEST} or later.`);
    }
    const [role] = await session.query<{ name: string; creates: boolean; standby: boolean }>(
      `select rolname as name, rolsuper or rolcreatedb as creates, pg_is_in_recovery() as standby
       from pg_roles where rolname = current_user`,
    );
    if (role?.standby === true) {
      throw refuse(`The server at ${where} is a standby: give the URL of its primary.`);
    }
    if (role?.creates === false) {
      throw refuse(
        `The role ${role.name} may not create databases at ${where}: let a superuser run ALTER ROLE "${role.name}" CREATEDB, or give the URL of another role.`,
      );
    }
    return version;
  } catch (error) {
    await session.close();
    throw error;
  }
}
