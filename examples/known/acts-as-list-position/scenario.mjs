import { defineScenario } from "heddle";

const add = { http: { method: "POST", path: "/paragraphs" } };

/** Two requests add a paragraph to an article each. */
export default defineScenario({
  setup: `
    create table articles (id serial primary key);
    create table paragraphs (id serial primary key, article_id int references articles, position int);
    insert into articles default values`,
  service: { exec: ["ruby", "service.rb"] },
  clients: { ada: add, bob: add },
  invariants: {
    "no two paragraphs have the same position": `
      select article_id, position, count(*) from paragraphs
       group by article_id, position having count(*) > 1`,
  },
});
