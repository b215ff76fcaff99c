import { Logger, makeWorkerUtils } from "graphile-worker";
import { defineScenario } from "heddle";

/** Prints nothing. */
const logger = new Logger(() => () => {});

const start = async ({ url }) => {
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  try {
    await utils.migrate();
  } finally {
    await utils.release();
  }
};

/** Two workers start on a database that has no jobs yet, and each installs the schema. */
export default defineScenario({
  setup: "",
  clients: { first: start, second: start },
  invariants: {
    "there is a table of jobs":
      "select 1 where to_regclass('graphile_worker._private_jobs') is null",
  },
});
