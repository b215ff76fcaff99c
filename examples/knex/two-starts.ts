import { defineScenario, type ScenarioDefinition } from "../../harness/index.ts";

/** A source without migrations: the race is about the lock only. */
const NONE = {
  getMigrations: async (): Promise<string[]> => [],
  getMigrationName: (name: string) => name,
  getMigration: () => ({ up: async () => {}, down: async () => {} }),
};

/** The part of Knex that the scenario uses, for several versions. */
type Open = (config: { readonly client: "pg"; readonly connection: string }) => {
  readonly migrate: { list(config: { readonly migrationSource: typeof NONE }): Promise<unknown> };
  raw(sql: string): PromiseLike<unknown>;
  destroy(): Promise<void>;
};

/**
 * Two processes of an application start at the same time, and each lists the migrations. A process that
 * finds no row in Knex's lock table inserts one. If both do, the lock no longer works.
 */
export function twoStarts(open: Open): ScenarioDefinition {
  const start = async ({ url }: { readonly url: string }) => {
    const db = open({ client: "pg", connection: url });
    try {
      await db.migrate.list({ migrationSource: NONE });
    } finally {
      await db.destroy();
    }
  };
  return defineScenario({
    // The state after a process was stopped between creating the tables and inserting the row.
    setup: async ({ url }) => {
      await start({ url });
      const db = open({ client: "pg", connection: url });
      await db.raw("delete from knex_migrations_lock");
      await db.destroy();
    },
    clients: { first: start, second: start },
    invariants: {
      "there is one lock": "select count(*) from knex_migrations_lock having count(*) <> 1",
    },
  });
}
