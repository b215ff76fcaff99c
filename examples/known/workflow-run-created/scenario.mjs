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

/** A run is created, while a worker starts it and brings along what it takes to create it. */
export default defineScenario({
  setup: ({ url }) =>
    withWorld(url, (_, pool) =>
      migrate(drizzle(pool), {
        migrationsFolder: MIGRATIONS,
        migrationsTable: "workflow_migrations",
        migrationsSchema: "workflow_drizzle",
      }),
    ),
  clients: {
    starter: ({ url }) =>
      withWorld(url, (world) => world.events.create(RUN, { eventType: "run_created", eventData })),
    worker: ({ url }) =>
      withWorld(url, (world) => world.events.create(RUN, { eventType: "run_started", eventData })),
  },
  errors: ["EntityConflictError"],
  invariants: {
    "a run is created once": `
      select run_id, count(*) from workflow.workflow_events
       where type = 'run_created' group by run_id having count(*) > 1`,
  },
});
