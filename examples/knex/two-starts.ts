import { defineScenario, type ScenarioDefinition } from "../../harness/index.ts";

/** No migrations: it is all about the lock. */
const NONE = {
  getMigrations: async (): Promise<string[]> => [],
  getMigrationName: (name: string) => name,
  getMigration: () => ({ up: async () => {}, down: async () => {} }),
};

/** What the scenario uses of Knex, whichever version. */
type Open = (config: { readonly client: "pg"; readonly connection: string }) => {
  readonly migrate: { list(config: { readonly migrationSource: typeof NONE }): Promise<unknown> };
  raw(sql: string): PromiseLike<unknown>;
  destroy(): Promise<void>;
};

/**
 * Two processes of an application start at once, and each looks for migrations. A process that finds
 * no row in Knex's lock table inserts one; if both do, the lock does not work any more.
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
    // The tables are there, as a process leaves them that was stopped before it inserted the row.
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
