import { Client } from "pg";
import { type ClientContext, defineScenario } from "../harness/index.ts";

/**
 * At least one doctor must be on call. Both go off duty at the same time: each sees in its snapshot that
 * the other is on call. REPEATABLE READ does not detect the conflict, since they write different rows.
 */
export const offDuty =
  (isolation: "repeatable read" | "serializable") =>
  async (doctor: string, { url }: ClientContext): Promise<void> => {
    const db = new Client(url);
    await db.connect();
    try {
      await db.query(`begin isolation level ${isolation}`);
      const { rows } = await db.query("select from doctors where on_call");
      if (rows.length > 1) {
        await db.query("update doctors set on_call = false where name = $1", [doctor]);
      }
      await db.query("commit");
    } finally {
      await db.end();
    }
  };

export const SETUP = `
  create table doctors (name text primary key, on_call boolean not null);
  insert into doctors values ('ada', true), ('bob', true)`;

export const INVARIANTS = {
  "somebody is on call":
    "select 'nobody' as on_call where not exists (select from doctors where on_call)",
};

const leave = offDuty("repeatable read");

export default defineScenario({
  setup: SETUP,
  clients: { ada: (context) => leave("ada", context), bob: (context) => leave("bob", context) },
  invariants: INVARIANTS,
});
