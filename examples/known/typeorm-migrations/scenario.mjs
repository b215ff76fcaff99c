import "reflect-metadata";
import { defineScenario } from "heddle";
import { DataSource } from "typeorm";

class Prices1767225600000 {
  async up(runner) {
    await runner.query("create table prices as select 100 as amount");
  }
  async down() {}
}

class Raise1767312000000 {
  async up(runner) {
    await runner.query("update prices set amount = amount + 10");
  }
  async down() {}
}

async function migrate(url, migrations) {
  const source = await new DataSource({ type: "postgres", url, migrations }).initialize();
  try {
    await source.runMigrations();
  } finally {
    await source.destroy();
  }
}

const deploy = ({ url }) => migrate(url, [Prices1767225600000, Raise1767312000000]);

/** Two processes of an application start with a new migration, and each runs all that are pending. */
export default defineScenario({
  setup: ({ url }) => migrate(url, [Prices1767225600000]),
  clients: { first: deploy, second: deploy },
  invariants: {
    "each migration is applied once": "select amount from prices where amount <> 110",
  },
});
