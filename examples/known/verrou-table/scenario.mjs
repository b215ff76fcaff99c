import { Verrou } from "@verrou/core";
import { knexStore } from "@verrou/core/drivers/knex";
import { defineScenario } from "heddle";
import knexModule from "knex";

/** Does something while it has the lock. */
const work = async ({ url }) => {
  const connection = knexModule.knex({ client: "pg", connection: url });
  try {
    const verrou = new Verrou({
      default: "database",
      stores: { database: { driver: knexStore({ connection }) } },
    });
    const lock = verrou.createLock("report");
    const acquired = await lock.acquireImmediately();
    if (acquired) await lock.release();
  } finally {
    await connection.destroy();
  }
};

/** Two processes want a lock for the first time. */
export default defineScenario({
  setup: "",
  clients: { first: work, second: work },
});
