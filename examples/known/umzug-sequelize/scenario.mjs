import { defineScenario } from "heddle";
import { Sequelize } from "sequelize";
import { SequelizeStorage, Umzug } from "umzug";

const PRICES = {
  name: "01-prices",
  up: ({ context }) => context.sequelize.query("create table prices as select 100 as amount"),
};
const RAISE = {
  name: "02-raise",
  up: ({ context }) => context.sequelize.query("update prices set amount = amount + 10"),
};

async function migrate(url, migrations) {
  const sequelize = new Sequelize(url, { logging: false });
  try {
    const storage = new SequelizeStorage({ sequelize });
    const context = sequelize.getQueryInterface();
    await new Umzug({ migrations, context, storage, logger: undefined }).up();
  } finally {
    await sequelize.close();
  }
}

const deploy = ({ url }) => migrate(url, [PRICES, RAISE]);

/** Two processes of an application start with a new migration, and each runs all that are pending. */
export default defineScenario({
  setup: ({ url }) => migrate(url, [PRICES]),
  clients: { first: deploy, second: deploy },
  invariants: {
    "each migration is applied once": "select amount from prices where amount <> 110",
  },
});
