import { Client } from "pg";
import { type ClientContext, defineScenario } from "../harness/index.ts";

/** Counts a visit: reads the counter, and writes the value plus one. Two visits can count as one. */
async function visit({ url }: ClientContext): Promise<void> {
  const db = new Client(url);
  await db.connect();
  const { rows } = await db.query<{ visits: number }>("select visits from pages where id = 1");
  await db.query("update pages set visits = $1 where id = 1", [Number(rows[0]?.visits) + 1]);
  await db.end();
}

export default defineScenario({
  setup: `
    create table pages (id int primary key, visits int not null);
    insert into pages values (1, 0)`,
  clients: { ada: visit, bob: visit },
  invariants: { "every visit counts": "select * from pages where visits <> 2" },
});
