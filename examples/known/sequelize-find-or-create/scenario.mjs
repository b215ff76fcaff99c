import { defineScenario } from "heddle";
import { DataTypes, Sequelize } from "sequelize";

async function withPeople(url, work) {
  const sequelize = new Sequelize(url, { logging: false });
  const Person = sequelize.define(
    "person",
    { name: { type: DataTypes.STRING, unique: true } },
    { timestamps: false, tableName: "people" },
  );
  try {
    return await work(Person);
  } finally {
    await sequelize.close();
  }
}

const findOrCreate = ({ url }) =>
  withPeople(url, async (Person) => {
    const [person, created] = await Person.findOrCreate({ where: { name: "Lovelace, Ada" } });
    return { name: person.name, created };
  });

/** Two clients want the same row. One of them creates it, and both get it. */
export default defineScenario({
  setup: ({ url }) => withPeople(url, (Person) => Person.sync()),
  clients: { first: findOrCreate, second: findOrCreate },
  invariants: {
    "both get the row, and one has created it": ({ outcomes }) => {
      const values = Object.values(outcomes).flatMap((outcome) => outcome.value ?? []);
      const right =
        values.length === 2 &&
        values.every(({ name }) => name === "Lovelace, Ada") &&
        values.filter(({ created }) => created).length === 1;
      return right ? [] : [outcomes];
    },
  },
});
