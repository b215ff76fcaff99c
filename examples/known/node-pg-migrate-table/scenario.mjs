import { fileURLToPath } from "node:url";
import { defineScenario } from "heddle";
import migrate from "node-pg-migrate";

const quiet = { debug() {}, info() {}, warn() {}, error() {} };

const deploy = ({ url }) =>
  migrate.default({
    databaseUrl: url,
    dir: fileURLToPath(new URL("migrations", import.meta.url)),
    direction: "up",
    migrationsTable: "pgmigrations",
    logger: quiet,
  });

/** Two processes of an application start for the first time, and each migrates. */
export default defineScenario({
  setup: "",
  clients: { first: deploy, second: deploy },
  // The lock does not wait: the second process is told, and starts again.
  errors: ["Another migration is already running"],
  invariants: {
    "the table is there": "select 1 where to_regclass('prices') is null",
  },
});
