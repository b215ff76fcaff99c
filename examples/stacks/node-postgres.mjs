import pg from "pg";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const pool = new pg.Pool({ connectionString: url });
  const { rows } = await pool.query("select value from counter where id = $1", [1]);
  await pool.query("update counter set value = $1 where id = $2", [rows[0].value + 1, 1]);
  await pool.end();
});
