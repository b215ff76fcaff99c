import { defineScenario } from "heddle";
import knexModule from "knex";

/** A source without migrations: the race is about the lock only. */
const NONE = {
  getMigrations: async () => [],
  getMigrationName: (name) => name,
  getMigration: () => ({ up: async () => {}, down: async () => {} }),
};

async function withKnex(url, work) {
  const knex = knexModule.knex({ client: "pg", connection: url });
  try {
    await work(knex);
  } finally {
    await knex.destroy();
  }
}

const start = ({ url }) => withKnex(url, (knex) => knex.migrate.list({ migrationSource: NONE }));

/** Two processes of an application start, and each lists its migrations. */
export default defineScenario({
  // As if a process had been stopped after it made the tables, and before the first migration.
  setup: async ({ url }) => {
    await start({ url });
    await withKnex(url, (knex) => knex("knex_migrations_lock").delete());
  },
  clients: { first: start, second: start },
  invariants: {
    "there is one lock": "select count(*) from knex_migrations_lock having count(*) <> 1",
  },
});
