import { Logger, makeWorkerUtils } from "graphile-worker";
import { defineScenario } from "heddle";

/** Prints nothing. */
const logger = new Logger(() => () => {});

async function withUtils(url, work) {
  const utils = await makeWorkerUtils({ connectionString: url, logger });
  try {
    await work(utils);
  } finally {
    await utils.release();
  }
}

const asks = ({ url }) =>
  withUtils(url, (utils) => utils.addJob("index", {}, { jobKey: "document:1" }));

/** The document does not need a job any more. */
const cancels = ({ url }) =>
  withUtils(url, (utils) =>
    utils.withPgClient((client) => client.query("select graphile_worker.remove_job('document:1')")),
  );

/** A job is added with a key, while another client removes what has this key. No worker runs. */
export default defineScenario({
  setup: ({ url }) => withUtils(url, (utils) => utils.migrate()),
  clients: { editor: asks, cleaner: cancels },
  invariants: {
    "the job waits, or it is gone":
      "select id, key, attempts from graphile_worker.jobs where attempts > 0 or key is null",
  },
});
