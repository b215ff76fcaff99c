import "reflect-metadata";
import { promisify } from "node:util";
import { TypeormStore } from "connect-typeorm";
import { defineScenario } from "heddle";
import { DataSource, EntitySchema } from "typeorm";

const Session = new EntitySchema({
  name: "session",
  columns: {
    id: { type: String, primary: true },
    expiredAt: { type: "bigint" },
    json: { type: "text" },
    destroyedAt: { type: "timestamp", nullable: true, deleteDate: true },
  },
});

async function withStore(url, work) {
  const source = new DataSource({ type: "postgres", url, entities: [Session] });
  await source.initialize();
  try {
    const store = new TypeormStore({ cleanupLimit: 0, onError: () => {} }).connect(
      source.getRepository(Session),
    );
    await work(store, source);
  } finally {
    await source.destroy();
  }
}

/** A request of the same browser ends, and its session is saved. */
const save =
  (page) =>
  ({ url }) =>
    withStore(url, (store) => promisify(store.set)("sid-1", { cookie: { maxAge: 60_000 }, page }));

/** Two requests of a new session end at once. */
export default defineScenario({
  setup: ({ url }) => withStore(url, (_, source) => source.synchronize()),
  clients: { first: save(1), second: save(2) },
  invariants: { "the session is there once": "select count(*) from session having count(*) <> 1" },
});
