import { fileURLToPath } from "node:url";
import { createWorld } from "@workflow/world-postgres";
import { drizzle } from "drizzle-orm/node-postgres";
import { migrate } from "drizzle-orm/node-postgres/migrator";
import { defineScenario } from "heddle";
import pg from "pg";

const MIGRATIONS = fileURLToPath(
  new URL("../src/drizzle/migrations", import.meta.resolve("@workflow/world-postgres")),
);

async function withWorld(url, work) {
  const pool = new pg.Pool({ connectionString: url });
  const world = createWorld({ pool });
  try {
    await work(world, pool);
  } finally {
    await world.close();
    await pool.end();
  }
}

/** Ids are ULIDs, and begin with the time. */
const RUN = `wrun_${ulid(Date.now())}`;
const eventData = {
  deploymentId: "dpl_1",
  workflowName: "signup",
  input: new Uint8Array([1]),
};

function ulid(time) {
  const digits = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
  let text = "";
  for (let rest = time; text.length < 10; rest = Math.floor(rest / 32)) {
    text = digits[rest % 32] + text;
  }
  return `${text}0000000000000000`;
}

const STEP = "step_1";

/** What two workers do that have taken up the same step. */
const worker = ({ url }) =>
  withWorld(url, async ({ events }) => {
    await events.create(RUN, { eventType: "step_started", correlationId: STEP });
    await events.create(RUN, {
      eventType: "step_completed",
      correlationId: STEP,
      eventData: { result: new Uint8Array([2]) },
    });
  });

export default defineScenario({
  setup: ({ url }) =>
    withWorld(url, async ({ events }, pool) => {
      await migrate(drizzle(pool), {
        migrationsFolder: MIGRATIONS,
        migrationsTable: "workflow_migrations",
        migrationsSchema: "workflow_drizzle",
      });
      await events.create(RUN, { eventType: "run_created", eventData });
      await events.create(RUN, { eventType: "run_started" });
      await events.create(RUN, {
        eventType: "step_created",
        correlationId: STEP,
        eventData: { stepName: "mail", input: new Uint8Array([1]) },
      });
    }),
  clients: { first: worker, second: worker },
  errors: ["EntityConflictError"],
  invariants: {
    "nothing follows the end of a step": `
      select late.id, late.type from workflow.workflow_events late
        join workflow.workflow_events done using (run_id, correlation_id)
       where done.type = 'step_completed' and late.created_at > done.created_at`,
  },
});
