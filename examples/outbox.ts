import { Client } from "pg";
import { type ClientContext, defineScenario } from "../harness/index.ts";

/*
 * An outbox: a transaction that changes data also inserts a message, and a relay sends all messages with
 * an id greater than the last one sent. Ids are assigned at the insert, but rows become visible at the
 * commit: a message whose transaction commits late has a smaller id, and is never sent.
 */

async function order({ url }: ClientContext): Promise<void> {
  const db = new Client(url);
  await db.connect();
  await db.query("begin");
  await db.query("insert into outbox (message) values ('ordered')");
  await db.query("commit");
  await db.end();
}

/** Sends the new messages, two times. */
async function relay({ url }: ClientContext): Promise<void> {
  const db = new Client(url);
  await db.connect();
  for (let round = 0; round < 2; round++) {
    const { rows } = await db.query<{ id: number }>(
      "select id from outbox where id > (select last from relayed) order by id",
    );
    const last = rows.at(-1)?.id;
    if (last === undefined) continue;
    await db.query("insert into sent select unnest($1::int[])", [rows.map(({ id }) => id)]);
    await db.query("update relayed set last = $1", [last]);
  }
  await db.end();
}

export default defineScenario({
  setup: `
    create table outbox (id serial primary key, message text not null);
    create table relayed (last int not null);
    create table sent (id int not null);
    insert into relayed values (0)`,
  clients: { ada: order, bob: order, relay },
  invariants: {
    "no message is passed over": `
      select id from outbox
       where id <= (select last from relayed) and id not in (select id from sent)`,
  },
});
