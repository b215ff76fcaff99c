import { configureLogger } from "@sidequest/core";
import PostgresBackend from "@sidequest/postgres-backend";
import { defineScenario } from "heddle";

configureLogger({ level: "none" });

/** What `Sidequest.configure` and the enqueueing of a job do. They are global: a process can do it once. */
const starts = async ({ url }) => {
  const backend = new PostgresBackend(url);
  try {
    await backend.migrate();
    await backend.createNewJob({
      queue: "default",
      script: "welcome-mail.js",
      class: "WelcomeMail",
      state: "waiting",
      attempt: 0,
    });
  } finally {
    await backend.close();
  }
};

/** Two processes of an application start for the first time, and each enqueues a job. */
export default defineScenario({
  setup: "",
  clients: { first: starts, second: starts },
  invariants: {
    "both jobs wait": "select count(*) from sidequest_jobs having count(*) <> 2",
  },
});
