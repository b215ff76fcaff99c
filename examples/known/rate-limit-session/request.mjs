/** The limiter of one process counts a request, as express-rate-limit has it do: `request.mjs LIMITER`. */
import { PostgresStore } from "@acpr/rate-limit-postgresql";

const { hostname, port, username, password, pathname } = new URL(process.env.DATABASE_URL);
const config = {
  host: hostname,
  port: Number(port),
  user: decodeURIComponent(username),
  password: decodeURIComponent(password),
  database: pathname.slice(1),
};
const store = new PostgresStore(config, process.argv[2]);
store.init({ windowMs: 60_000 });
try {
  console.log((await store.increment("192.0.2.1")).totalHits);
} catch (error) {
  console.error(error.message);
  process.exitCode = 1;
} finally {
  await store.pool.end();
}
