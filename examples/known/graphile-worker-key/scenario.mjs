import { Logger, makeWorkerUtils, runOnce } from "graphile-worker";
import { defineScenario } from "heddle";
import pg from "pg";

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

/** Asks for the index to be brought up to a revision of the document. */
const asks = (revision) => (utils) => utils.addJob("index", { revision }, { jobKey: "document:1" });

/** A worker does what there is to do. */
const worker = async ({ url }) => {
  const pool = new pg.Pool({ connectionString: url, logger });
  const index = async ({ revision }, { query }) => {
    await query("insert into indexed values ($1)", [revision]);
  };
  try {
    await runOnce({ pgPool: pool, taskList: { index }, noHandleSignals: true, logger });
  } finally {
    await pool.end();
  }
};

export default defineScenario({
  setup: ({ url }) =>
    withUtils(url, async (utils) => {
      await utils.migrate();
      await utils.withPgClient((client) => client.query("create table indexed (revision int)"));
      await asks(1)(utils);
    }),
  clients: { editor: ({ url }) => withUtils(url, asks(2)), worker },
  invariants: {
    "the last revision is indexed, or a job waits": `
      select 2 as revision
       where not exists (select from indexed where revision = 2)
         and not exists (select from graphile_worker.jobs where key = 'document:1')`,
  },
});
