import { defineScenario } from "heddle";

const scenario = {
  setup: `
    create table counter (id int primary key, value int not null);
    insert into counter values (1, 0)`,
  invariants: { "no increment is lost": "select * from counter where value <> 2" },
};

/** Two clients that read a counter, and then write it. `increment` does so through a driver or an ORM. */
export function lostUpdate(increment) {
  const client = ({ url }) => increment(url);
  return defineScenario({ ...scenario, clients: { ada: client, bob: client } });
}

/** The same with two programs. */
export function lostUpdateOfPrograms(program) {
  return defineScenario({ ...scenario, clients: { ada: program, bob: program } });
}

/** The same with two requests to a service, `POST /increment`. */
export function lostUpdateOfService(service) {
  const client = { http: { method: "POST", path: "/increment" } };
  return defineScenario({ ...scenario, service, clients: { ada: client, bob: client } });
}
