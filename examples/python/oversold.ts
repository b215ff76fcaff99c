import { defineScenario } from "../../harness/index.ts";

/** Two customers buy the last item at the same time from a service in Python (with Debian's package python3-psycopg). */
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
