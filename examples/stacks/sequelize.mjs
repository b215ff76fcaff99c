import { DataTypes, Sequelize } from "sequelize";
import { lostUpdate } from "./lost-update.mjs";

export default lostUpdate(async (url) => {
  const db = new Sequelize(url, { logging: false });
  const columns = {
    id: { type: DataTypes.INTEGER, primaryKey: true },
    value: DataTypes.INTEGER,
  };
  const Counter = db.define("counter", columns, { tableName: "counter", timestamps: false });
  const counter = await Counter.findByPk(1);
  await counter.update({ value: counter.value + 1 });
  await db.close();
});
