import { Logger, makeWorkerUtils } from "graphile-worker";
import { defineScenario } from "heddle";

/** Prints nothing. */
const logger = new Logger(() => () => {});

/** A process gets ready to add jobs. */
async function starts({ url }) {
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  try {
    await utils.migrate();
  } finally {
    await utils.release();
  }
}

/** Two processes start for the first time. */
export default defineScenario({
  setup: "",
  clients: { first: starts, second: starts },
  invariants: {
    "each migration is applied once":
      "select id from graphile_worker.migrations group by id having count(*) > 1",
  },
});
