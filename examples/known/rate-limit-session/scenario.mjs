import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { defineScenario } from "heddle";

const REQUEST = fileURLToPath(new URL("request.mjs", import.meta.url));
const request = { exec: [process.execPath, REQUEST, "login"] };

/** Two processes of an application count the first request of each. */
export default defineScenario({
  // A store creates its tables when it is constructed.
  setup: async ({ url }) => {
    const env = { ...process.env, DATABASE_URL: url };
    await promisify(execFile)(process.execPath, [REQUEST, "signup"], { env }).catch(() => {});
  },
  clients: { first: request, second: request },
  invariants: {
    "each request counts": `
      select name_, count from rate_limit.records_aggregated
        join rate_limit.sessions on sessions.id = session_id
       where name_ = 'login' and count <> 2`,
  },
});
