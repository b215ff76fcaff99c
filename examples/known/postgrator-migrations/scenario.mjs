import { fileURLToPath } from "node:url";
import { defineScenario } from "heddle";
import pg from "pg";
import Postgrator from "postgrator";

async function migrate(url, target) {
  const db = new pg.Client(url);
  await db.connect();
  try {
    const postgrator = new Postgrator({
      migrationPattern: fileURLToPath(new URL("migrations/*", import.meta.url)),
      driver: "pg",
      database: new URL(url).pathname.slice(1),
      execQuery: (sql) => db.query(sql),
    });
    await postgrator.migrate(target);
  } finally {
    await db.end();
  }
}

const deploy = ({ url }) => migrate(url, "max");

/** Two processes of an application start with a new migration, and each migrates to the latest version. */
export default defineScenario({
  setup: ({ url }) => migrate(url, "001"),
  clients: { first: deploy, second: deploy },
  invariants: {
    "each migration is applied once": "select amount from prices where amount <> 110",
  },
});
