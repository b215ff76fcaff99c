import postgres from "postgres";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const sql = postgres(url);
  const [row] = await sql`select value from counter where id = ${1}`;
  await sql`update counter set value = ${row.value + 1} where id = ${1}`;
  await sql.end();
});
