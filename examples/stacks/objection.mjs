import knexModule from "knex";
import { Model } from "objection";
import { lostUpdate } from "./lost-update.mjs";

class Counter extends Model {
  static tableName = "counter";
}

export default lostUpdate(async (url) => {
  const knex = knexModule.knex({ client: "pg", connection: url });
  const counter = await Counter.query(knex).findById(1);
  await counter.$query(knex).patch({ value: counter.value + 1 });
  await knex.destroy();
});
