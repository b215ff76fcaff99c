import { defineScenario } from "heddle";
import { Kysely, PostgresDialect, sql } from "kysely";
import { Migrator } from "kysely/migration";
import pg from "pg";

const RELEASED = {
  "001_prices": {
    up: (db) => sql`create table prices as select 100 as amount`.execute(db),
  },
};
const NEXT = {
  ...RELEASED,
  "002_raise": { up: (db) => sql`update prices set amount = amount + 10`.execute(db) },
};

async function migrate(url, migrations) {
  const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) });
  const db = new Kysely({ dialect });
  try {
    const provider = { getMigrations: async () => migrations };
    const migrator = new Migrator({ db, provider });
    const { error } = await migrator.migrateToLatest({ disableTransactions: true });
    if (error) throw error;
  } finally {
    await db.destroy();
  }
}

const deploy = ({ url }) => migrate(url, NEXT);

/** Two processes of an application start with a new migration, and each migrates to the latest version. */
export default defineScenario({
  setup: ({ url }) => migrate(url, RELEASED),
  clients: { first: deploy, second: deploy },
  invariants: {
    "each migration is applied once": "select amount from prices where amount <> 110",
  },
});
