import { EntitySchema, MikroORM } from "@mikro-orm/postgresql";
import { defineScenario } from "heddle";

const Account = new EntitySchema({
  name: "Account",
  properties: {
    id: { type: "integer", primary: true },
    balance: { type: "integer" },
    version: { type: "integer", version: true },
  },
});

async function withAccounts(url, work) {
  const orm = await MikroORM.init({ clientUrl: url, entities: [Account] });
  try {
    return await work(orm.em.fork());
  } finally {
    await orm.close();
  }
}

/** Moves ten from one account to the other: two entities in one flush. */
const transfer = ({ url }) =>
  withAccounts(url, async (em) => {
    const [from, to] = await em.find("Account", {}, { orderBy: { id: "asc" } });
    from.balance -= 10;
    to.balance += 10;
    await em.flush();
  });

/** Two clients transfer. Each either counts or is refused, since the entity has a version property. */
export default defineScenario({
  setup: `
    create table account (id int primary key, balance int not null, version int not null default 1);
    insert into account values (1, 100), (2, 0)`,
  clients: { ada: transfer, bob: transfer },
  errors: ["OptimisticLockError"],
  invariants: {
    "what was not refused counts": async ({ query, outcomes }) => {
      const [{ balance }] = await query("select balance from account where id = 2");
      const done = Object.values(outcomes).filter((outcome) => "value" in outcome).length;
      return balance === 10 * done ? [] : [{ balance, done }];
    },
  },
});
