import knexModule from "knex";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const knex = knexModule.knex({ client: "pg", connection: url });
  const row = await knex("counter").first();
  await knex("counter").update({ value: row.value + 1 });
  await knex.destroy();
});
