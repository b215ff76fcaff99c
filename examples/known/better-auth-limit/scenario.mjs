import { drizzleAdapter } from "@better-auth/drizzle-adapter";
import { betterAuth } from "better-auth";
import { drizzle } from "drizzle-orm/node-postgres";
import { bigint, integer, pgTable, text } from "drizzle-orm/pg-core";
import { defineScenario } from "heddle";
import pg from "pg";

const rateLimit = pgTable("rate_limit", {
  id: text("id").primaryKey(),
  key: text("key").notNull().unique(),
  count: integer("count").notNull(),
  lastRequest: bigint("last_request", { mode: "number" }).notNull(),
});

/** A request to one process of the application. The status of its answer. */
const request = async ({ url }) => {
  const pool = new pg.Pool({ connectionString: url });
  try {
    const auth = betterAuth({
      baseURL: "http://localhost:3000",
      secret: "0123456789abcdef0123456789abcdef",
      database: drizzleAdapter(drizzle(pool), { provider: "pg", schema: { rateLimit } }),
      rateLimit: { enabled: true, storage: "database", window: 3_600, max: 2 },
      telemetry: { enabled: false },
    });
    const headers = { "x-forwarded-for": "192.0.2.1" };
    const { status } = await auth.handler(
      new Request("http://localhost:3000/api/auth/ok", { headers }),
    );
    return status;
  } finally {
    await pool.end();
  }
};

/** Two requests are allowed in an hour. One was made, and two more come. */
export default defineScenario({
  setup: async ({ url }) => {
    const db = new pg.Client(url);
    await db.connect();
    await db.query(`
      create table rate_limit (
        id text primary key, key text not null unique, count int not null, last_request bigint not null)`);
    await db.end();
    await request({ url });
  },
  clients: { first: request, second: request },
  invariants: {
    "one of two requests is let in": ({ outcomes }) => {
      const statuses = Object.values(outcomes).map(({ value }) => value);
      return statuses.toSorted().join() === "200,429" ? [] : [{ statuses }];
    },
  },
});
