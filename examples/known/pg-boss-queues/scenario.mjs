import { defineScenario } from "heddle";
import * as exported from "pg-boss";

/** Version 11 has a named export, version 10 a default one. */
const PgBoss = exported.PgBoss ?? exported.default;

async function withBoss(url, work) {
  const boss = new PgBoss({ connectionString: url, supervise: false, schedule: false });
  let failure;
  boss.on("error", (error) => {
    failure ??= error;
  });
  await boss.start();
  try {
    await work(boss);
  } finally {
    await boss.stop({ graceful: false, wait: true });
  }
  if (failure !== undefined) throw failure;
}

const creates =
  (queue) =>
  ({ url }) =>
    withBoss(url, (boss) => boss.createQueue(queue));

/** Two processes start, and each creates a queue of its own. */
export default defineScenario({
  setup: ({ url }) => withBoss(url, async () => {}),
  clients: { mailer: creates("mails"), biller: creates("bills") },
  invariants: {
    "both queues exist": `
      select wanted from unnest(array['mails', 'bills']) as wanted
       where wanted not in (select name from pgboss.queue)`,
  },
});
