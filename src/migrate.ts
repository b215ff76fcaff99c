import { fileURLToPath } from "node:url";

const silent = () => {};

/**
 * Brings a database's schema up to date with `migrations/*.sql`, all in one transaction. What ran
 * before is recorded in `migrations.applied`, apart from the service's own tables. Migrations that
 * are started at the same moment wait for each other. Rejects with the database's error.
 */
export async function migrate(connectionString: string): Promise<void> {
  // The library brings a loader for TypeScript migrations, which would leave a cache in the folder
  // for temporary files as soon as it is imported.
  process.env["JITI_FS_CACHE"] ??= "false";
  const { runner } = await import("node-pg-migrate");
  await runner({
    databaseUrl: connectionString,
    dir: fileURLToPath(new URL("../migrations", import.meta.url)),
    direction: "up",
    migrationsSchema: "migrations",
    migrationsTable: "applied",
    createMigrationsSchema: true,
    singleTransaction: true,
    advisoryLockMode: "wait",
    logger: { info: silent, warn: silent, error: silent },
  });
}
