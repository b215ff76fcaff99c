import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable } from "drizzle-orm/pg-core";
import pg from "pg";
import { lostUpdate } from "./lost-update.mjs";

const counter = pgTable("counter", {
  id: integer("id").primaryKey(),
  value: integer("value").notNull(),
});

export default lostUpdate(async (url) => {
  const pool = new pg.Pool({ connectionString: url });
  const db = drizzle(pool);
  const [row] = await db.select().from(counter);
  await db
    .update(counter)
    .set({ value: row.value + 1 })
    .where(eq(counter.id, 1));
  await pool.end();
});
