import { ConnectSessionKnexStore } from "connect-session-knex";
import { defineScenario } from "heddle";
import knexModule from "knex";

async function withStore(url, work) {
  const knex = knexModule.knex({ client: "pg", connection: url });
  const store = new ConnectSessionKnexStore({ knex, cleanupInterval: 0 });
  try {
    await work(store);
  } finally {
    await knex.destroy();
  }
}

/** A request of the same browser ends, and its session is saved. */
const save =
  (page) =>
  ({ url }) =>
    withStore(url, (store) => store.set("sid-1", { cookie: { maxAge: 60_000 }, page }));

export default defineScenario({
  setup: ({ url }) => withStore(url, (store) => store.length()),
  clients: { first: save(1), second: save(2) },
  invariants: {
    "the session is there once": "select count(*) from sessions having count(*) <> 1",
  },
});
