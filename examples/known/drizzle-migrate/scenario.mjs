import { fileURLToPath } from "node:url";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { defineScenario } from "heddle";
import pg from "pg";

const migrationsFolder = fileURLToPath(new URL("drizzle", import.meta.url));

const deploy = async ({ url }) => {
  const pool = new pg.Pool({ connectionString: url });
  try {
    await migrate(drizzle(pool), { migrationsFolder });
  } finally {
    await pool.end();
  }
};

/** Two processes of an application start with a new migration, and each migrates to the latest version. */
export default defineScenario({
  // As the migrations of an earlier release have left it.
  setup: `
    create table prices as select 100 as amount;
    create schema drizzle;
    create table drizzle.__drizzle_migrations (id serial primary key, hash text not null, created_at bigint);
    insert into drizzle.__drizzle_migrations (hash, created_at) values ('0', 1)`,
  clients: { first: deploy, second: deploy },
  invariants: {
    "each migration is applied once": "select amount from prices where amount <> 110",
  },
});
