import { defineScenario } from "heddle";

const create = (name) => ({ http: { method: "POST", path: "/categories", body: name } });

/** Two requests create a category each. */
export default defineScenario({
  setup: `
    create table categories (
      id serial primary key, name text, parent_id int, lft int not null, rgt int not null);
    insert into categories (name, lft, rgt) values ('threads', 1, 2)`,
  service: { exec: ["ruby", "service.rb"] },
  clients: { ada: create("looms"), bob: create("yarns") },
  invariants: {
    "no two categories have the same place":
      "select lft, count(*) from categories group by lft having count(*) > 1",
  },
});
