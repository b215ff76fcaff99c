import { defineScenario } from "heddle";

const add = (name) => ({ http: { method: "POST", path: "/categories", body: name } });

/** Two requests add a child to the same category each. */
export default defineScenario({
  setup: `
    create table category (
      id serial primary key, path varchar(255) not null unique, depth int not null,
      numchild int not null, name text not null);
    insert into category (path, depth, numchild, name) values ('0001', 1, 0, 'crafts')`,
  service: { exec: ["/usr/bin/python3", "service.py"] },
  clients: { ada: add("looms"), bob: add("yarns") },
  invariants: {
    "the category has both children": `
      select numchild, (select count(*) from category where depth = 2) from category
       where depth = 1 and (numchild <> 2 or (select count(*) from category where depth = 2) <> 2)`,
  },
});
