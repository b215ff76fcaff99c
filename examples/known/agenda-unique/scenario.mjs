import { PostgresBackend } from "@agendajs/postgres-backend";
import { Agenda } from "agenda";
import { defineScenario } from "heddle";
import pg from "pg";

async function withAgenda(url, work, ensureSchema = false) {
  const pool = new pg.Pool({ connectionString: url });
  const agenda = new Agenda({ backend: new PostgresBackend({ pool, ensureSchema }) });
  try {
    await agenda.ready;
    await work(agenda);
  } finally {
    await agenda.stop();
    await pool.end();
  }
}

/** Schedules a reminder, unless the user has one. */
const remind = ({ url }) =>
  withAgenda(url, (agenda) =>
    agenda
      .create("remind", { user: 1 })
      .unique({ "data.user": 1 })
      .schedule(new Date("2100-01-01"))
      .save(),
  );

/** Two requests schedule the same reminder. */
export default defineScenario({
  setup: ({ url }) => withAgenda(url, async () => {}, true),
  clients: { first: remind, second: remind },
  invariants: {
    "a unique job exists once":
      "select name, count(*) from agenda_jobs group by name having count(*) > 1",
  },
});
