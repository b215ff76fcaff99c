import { PostgresStore } from "@acpr/rate-limit-postgresql";
import { defineScenario } from "heddle";
import pg from "pg";

function configOf(url) {
  const { hostname, port, username, password, pathname } = new URL(url);
  return {
    host: hostname,
    port: Number(port),
    user: decodeURIComponent(username),
    password: decodeURIComponent(password),
    database: pathname.slice(1),
  };
}

/** The limiter of one process counts a request, as express-rate-limit has it do. */
const request = async ({ url }) => {
  const store = new PostgresStore(configOf(url), "login");
  store.init({ windowMs: 60_000 });
  try {
    return (await store.increment("192.0.2.1")).totalHits;
  } finally {
    await store.pool.end();
  }
};

/** Two processes count a request each. */
export default defineScenario({
  // A store creates its tables when it is constructed.
  setup: async ({ url }) => {
    console.error(url);
    new PostgresStore(configOf(url), "login");
    const db = new pg.Client(url);
    await db.connect();
    const others = async () =>
      (await db.query("select from pg_stat_activity where datname = current_database()")).rows
        .length - 1;
    while ((await others()) === 0);
    while ((await others()) > 0);
    await db.end();
  },
  clients: { first: request, second: request },
  invariants: {
    "each request counts":
      "select sum(count) from rate_limit.records_aggregated having sum(count) <> 2",
  },
});
