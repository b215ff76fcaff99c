import { Client } from "pg";
import { type ClientContext, defineScenario } from "../harness/index.ts";

/** Pays 60 from a balance of 100: reads the balance, and then debits it. Two payments overdraw the account. */
async function pay({ url }: ClientContext): Promise<string> {
  const db = new Client(url);
  await db.connect();
  try {
    await db.query("begin");
    const { rows } = await db.query<{ balance: number }>(
      "select balance from accounts where id = 1",
    );
    if (Number(rows[0]?.balance) < 60) {
      await db.query("rollback");
      return "refused";
    }
    await db.query("update accounts set balance = balance - 60 where id = 1");
    await db.query("insert into payments (account, amount) values (1, 60)");
    await db.query("commit");
    return "paid";
  } finally {
    await db.end();
  }
}

export default defineScenario({
  setup: `
    create table accounts (id int primary key, balance int not null);
    create table payments (id serial primary key, account int not null, amount int not null);
    insert into accounts values (1, 100)`,
  clients: { ada: pay, bob: pay },
  invariants: { "nobody spends what is not there": "select * from accounts where balance < 0" },
});
