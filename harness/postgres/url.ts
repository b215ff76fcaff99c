import { HarnessError } from "../core/error.ts";
import { type Address, urlOf } from "./address.ts";
import { AdminConnection, addressOf, withPassword } from "./connection.ts";
import { Leases, sweepDatabases } from "./leases.ts";
import { RunFolder, sweepRunFolders } from "./run-folder.ts";
import type { Server } from "./server.ts";
import { type CreateOptions, databaseOptions, SERVER_DEFAULTS } from "./settings.ts";

/** The oldest version that has every feature that Heddle uses. */
const OLDEST_VERSION = 14;

/**
 * Uses a server that is running already, and changes nothing outside the databases that it creates there.
 * The URL must lead to the server itself, or to a pooler that gives each client a session.
 * @throws HarnessError PROVIDER_FAILED when the server cannot be reached or does not allow what is needed.
 */
export async function useServerAt(url: string, why = "as asked"): Promise<Server> {
  return use(await withPassword(url), {
    provider: "url",
    describe: (version) => `PostgreSQL ${version} at ${addressOf(url)} (${why})`,
    createOptions: () => SERVER_DEFAULTS,
  });
}

/** Uses a server that Heddle started and that other runs may use at the same time or later. */
export async function useReusedContainer(
  address: Address,
  password: string,
  describe: (version: string) => string,
): Promise<Server> {
  const existing = { provider: "container", describe, createOptions: databaseOptions } as const;
  return use(urlOf(address, password), existing);
}

/** How to use a server that does not end with this process. */
interface ExistingServer {
  readonly provider: Server["provider"];
  /** Describes a server of a version. */
  readonly describe: (version: string) => string;
  /** The options of CREATE DATABASE for a version. */
  readonly createOptions: (version: string) => CreateOptions;
}

async function use(
  url: string,
  { provider, describe, createOptions }: ExistingServer,
): Promise<Server> {
  const admin = new AdminConnection(url);
  const { version, superuser } = await requireRights(admin);
  const run = await RunFolder.open(undefined);
  await Promise.allSettled([sweepDatabases(admin), sweepRunFolders(), run.reaper.ready]);
  const leases = new Leases(admin, {
    createOptions: createOptions(version),
    onChange: (names) => run.reaper.watchDatabases(url, names),
  });
  // The reaper tries again to drop the databases that `close` could not drop.
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
    superuser,
    description: describe(version),
    folder: run.harnessFolder,
    lease: () => leases.lease(),
    stop: () => {
      stopped ??= stop();
      return stopped;
    },
  };
}

/** Throws HarnessError if the server is too old, a standby, or allows no databases. */
async function requireRights(
  admin: AdminConnection,
): Promise<Pick<Server, "version" | "superuser">> {
  const failure = (message: string) => new HarnessError("PROVIDER_FAILED", message);
  const where = addressOf(admin.url);
  try {
    const version = await admin.version();
    if (Number.parseInt(version, 10) < OLDEST_VERSION) {
      throw failure(
        `PostgreSQL ${version} at ${where} is too old: use version ${OLDEST_VERSION} or later.`,
      );
    }
    const [role] = await admin.query<{
      name: string;
      superuser: boolean;
      creates: boolean;
      standby: boolean;
    }>(
      `select rolname as name, rolsuper as superuser, rolsuper or rolcreatedb as creates,
              pg_is_in_recovery() as standby
       from pg_roles where rolname = current_user`,
    );
    if (role?.standby === true) {
      throw failure(`The server at ${where} is a standby: give the URL of its primary.`);
    }
    if (role?.creates === false) {
      throw failure(
        `The role ${role.name} may not create databases at ${where}: let a superuser run ALTER ROLE "${role.name}" CREATEDB, or give the URL of another role.`,
      );
    }
    return { version, superuser: role?.superuser === true };
  } catch (error) {
    await admin.close();
    throw error;
  }
}
