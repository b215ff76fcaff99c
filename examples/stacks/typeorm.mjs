import "reflect-metadata";
import { DataSource, EntitySchema } from "typeorm";
import { lostUpdate } from "./lost-update.mjs";

const Counter = new EntitySchema({
  name: "counter",
  columns: { id: { type: Number, primary: true }, value: { type: Number } },
});

export default lostUpdate(async (url) => {
  const source = new DataSource({ type: "postgres", url, entities: [Counter] });
  await source.initialize();
  const counters = source.getRepository(Counter);
  const counter = await counters.findOneByOrFail({ id: 1 });
  counter.value += 1;
  await counters.save(counter);
  await source.destroy();
});
