import { defineScenario } from "heddle";
import { BackendPostgres } from "openworkflow/postgres";

/** One process of the application starts, and installs the tables that it needs. */
const start = async ({ url }) => {
  const backend = await BackendPostgres.connect(url);
  await backend.stop();
};

/** Two processes start for the first time. */
export default defineScenario({ setup: "", clients: { first: start, second: start } });
