import { fileURLToPath } from "node:url";

const silent = () => {};

/**
 * Applies the missing `migrations/*.sql` to a database, in one transaction. The table
 * `migrations.applied` records which files were applied. Concurrent migrations wait for each other.
 * Rejects with the database's error.
 */
export async function migrate(connectionString: string): Promise<void> {
  // Importing the library loads jiti, which would write a cache to the folder for temporary files.
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
