import { defineScenario } from "heddle";

const add = (name) => ({ http: { method: "POST", path: "/categories", body: name } });

/** Two requests create a root category each. */
export default defineScenario({
  setup: `
    create table category (
      id serial primary key, name text not null, lft int not null, rght int not null,
      tree_id int not null, level int not null, parent_id int references category)`,
  service: { exec: ["/usr/bin/python3", "service.py"] },
  clients: { ada: add("looms"), bob: add("yarns") },
  invariants: {
    "each root has a tree of its own": `
      select tree_id, count(*) from category where parent_id is null group by tree_id having count(*) > 1`,
  },
});
