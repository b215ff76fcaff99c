import "reflect-metadata";
import { defineScenario } from "heddle";
import { DataSource, EntitySchema } from "typeorm";

const Account = new EntitySchema({
  name: "account",
  columns: {
    id: { type: Number, primary: true },
    balance: { type: Number },
    version: { type: Number, version: true },
  },
});

async function withAccounts(url, work) {
  const source = new DataSource({ type: "postgres", url, entities: [Account] });
  await source.initialize();
  try {
    await work(source.getRepository(Account), source);
  } finally {
    await source.destroy();
  }
}

/** Reads an account, and saves it with ten more. */
const deposit = ({ url }) =>
  withAccounts(url, async (accounts) => {
    const account = await accounts.findOneByOrFail({ id: 1 });
    account.balance += 10;
    await accounts.save(account);
  });

/** Two clients deposit. Each either counts or is refused, since the entity has a version column. */
export default defineScenario({
  setup: ({ url }) =>
    withAccounts(url, async (accounts, source) => {
      await source.synchronize();
      await accounts.save({ id: 1, balance: 100 });
    }),
  clients: { ada: deposit, bob: deposit },
  errors: ["OptimisticLockVersionMismatchError", "OptimisticLockCanNotBeUsedError"],
  invariants: {
    "what was not refused counts": async ({ query, outcomes }) => {
      const [{ balance }] = await query("select balance from account");
      const done = Object.values(outcomes).filter((outcome) => "value" in outcome).length;
      return balance === 100 + 10 * done ? [] : [{ balance, done }];
    },
  },
});
