import { defineScenario } from "../../harness/index.ts";

/** A service in another language (Debian's Python, with its package python3-psycopg), and two customers who want the last item at the same time. */
const buy = { http: { method: "POST", path: "/buy/lamp" } };

export default defineScenario({
  setup: `
    create table stock (item text primary key, left_over int not null);
    create table sold (item text not null);
    insert into stock values ('lamp', 1)`,
  service: { exec: ["/usr/bin/python3", "service.py"] },
  clients: { ada: buy, bob: buy },
  invariants: { "nothing is sold twice": "select * from stock where left_over < 0" },
});
