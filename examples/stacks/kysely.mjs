import { Kysely, PostgresDialect } from "kysely";
import pg from "pg";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const dialect = new PostgresDialect({ pool: new pg.Pool({ connectionString: url }) });
  const db = new Kysely({ dialect });
  const row = await db.selectFrom("counter").selectAll().executeTakeFirstOrThrow();
  await db
    .updateTable("counter")
    .set({ value: row.value + 1 })
    .where("id", "=", 1)
    .execute();
  await db.destroy();
});
