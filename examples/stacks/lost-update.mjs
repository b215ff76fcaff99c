import { defineScenario } from "heddle";

/** Two clients that read a counter, and then write it. `increment` does so through a driver or an ORM. */
export function lostUpdate(increment) {
  const client = ({ url }) => increment(url);
  return defineScenario({
    setup: `
      create table counter (id int primary key, value int not null);
      insert into counter values (1, 0)`,
    clients: { ada: client, bob: client },
    invariants: { "no increment is lost": "select * from counter where value <> 2" },
  });
}
