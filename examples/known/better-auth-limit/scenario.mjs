import { drizzleAdapter } from "@better-auth/drizzle-adapter";
import { betterAuth } from "better-auth";
import { drizzle } from "drizzle-orm/node-postgres";
import { bigint, boolean, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";
import { defineScenario } from "heddle";
import pg from "pg";

const id = () => text("id").primaryKey();
const time = (name) => timestamp(name).notNull();
const user = pgTable("user", {
  id: id(),
  name: text("name").notNull(),
  email: text("email").notNull().unique(),
  emailVerified: boolean("email_verified").notNull(),
  image: text("image"),
  createdAt: time("created_at"),
  updatedAt: time("updated_at"),
});
const session = pgTable("session", {
  id: id(),
  expiresAt: time("expires_at"),
  token: text("token").notNull().unique(),
  createdAt: time("created_at"),
  updatedAt: time("updated_at"),
  ipAddress: text("ip_address"),
  userAgent: text("user_agent"),
  userId: text("user_id").notNull(),
});
const account = pgTable("account", {
  id: id(),
  accountId: text("account_id").notNull(),
  providerId: text("provider_id").notNull(),
  userId: text("user_id").notNull(),
  accessToken: text("access_token"),
  refreshToken: text("refresh_token"),
  idToken: text("id_token"),
  accessTokenExpiresAt: timestamp("access_token_expires_at"),
  refreshTokenExpiresAt: timestamp("refresh_token_expires_at"),
  scope: text("scope"),
  password: text("password"),
  createdAt: time("created_at"),
  updatedAt: time("updated_at"),
});
const verification = pgTable("verification", {
  id: id(),
  identifier: text("identifier").notNull(),
  value: text("value").notNull(),
  expiresAt: time("expires_at"),
  createdAt: time("created_at"),
  updatedAt: time("updated_at"),
});
const rateLimit = pgTable("rate_limit", {
  id: id(),
  key: text("key").notNull().unique(),
  count: integer("count").notNull(),
  lastRequest: bigint("last_request", { mode: "number" }).notNull(),
});
const schema = { user, session, account, verification, rateLimit };

/** A request to one process of the application. The status of its answer. */
const request = async ({ url }) => {
  const pool = new pg.Pool({ connectionString: url });
  try {
    const auth = betterAuth({
      baseURL: "http://localhost:3000",
      secret: "0123456789abcdef0123456789abcdef",
      database: drizzleAdapter(drizzle(pool), { provider: "pg", schema }),
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
