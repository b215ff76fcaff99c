import { promisify } from "node:util";
import connectPgSimple from "connect-pg-simple";
import session from "express-session";
import { defineScenario } from "heddle";
import pg from "pg";

const Store = connectPgSimple(session);
const SESSION = { cookie: { maxAge: 60_000, originalMaxAge: 60_000 } };

/** One process of an application: it saves a session, and once more if that failed. */
const save =
  (sid) =>
  async ({ url }) => {
    const pool = new pg.Pool({ connectionString: url });
    const store = new Store({ pool, createTableIfMissing: true, pruneSessionInterval: false });
    const set = promisify(store.set.bind(store));
    try {
      await set(sid, SESSION).catch(() => set(sid, SESSION));
    } finally {
      await store.close();
      await pool.end();
    }
  };

/** Two processes start for the first time, and each saves a session. */
export default defineScenario({
  setup: "",
  clients: { first: save("a"), second: save("b") },
  invariants: {
    "both sessions are saved": "select count(*) from session having count(*) <> 2",
  },
});
