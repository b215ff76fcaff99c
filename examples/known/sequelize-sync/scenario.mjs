import { defineScenario } from "heddle";
import { DataTypes, Sequelize } from "sequelize";

const start = async ({ url }) => {
  const sequelize = new Sequelize(url, { logging: false });
  sequelize.define("person", { name: DataTypes.STRING });
  try {
    await sequelize.sync();
  } finally {
    await sequelize.close();
  }
};

/** Two processes of an application start for the first time, and each creates the tables that are missing. */
export default defineScenario({
  setup: "",
  clients: { first: start, second: start },
});
