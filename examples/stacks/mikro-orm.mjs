import { EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import { lostUpdate } from "./lost-update.mjs";

const Counter = new EntitySchema({
  name: "Counter",
  tableName: "counter",
  properties: { id: { type: "integer", primary: true }, value: { type: "integer" } },
});

export default lostUpdate(async (url) => {
  const orm = await MikroORM.init({ clientUrl: url, entities: [Counter] });
  const em = orm.em.fork();
  const counter = await em.findOneOrFail("Counter", 1);
  counter.value += 1;
  await em.flush();
  await orm.close();
});
