import { createPool, sql } from "slonik";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const pool = await createPool(url);
  const value = await pool.oneFirst(sql.unsafe`select value from counter`);
  await pool.query(sql.unsafe`update counter set value = ${value + 1}`);
  await pool.end();
});
