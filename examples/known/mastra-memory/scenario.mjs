import { PostgresStore } from "@mastra/pg";
import { defineScenario } from "heddle";

async function withStore(url, work) {
  const store = new PostgresStore({ id: "storage", connectionString: url });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

/** A request of a thread begins its memory, if it has none. */
const remember = ({ url }) =>
  withStore(url, async (store) => {
    const memory = await store.getStore("memory");
    const known = await memory.getObservationalMemory("thread-1", "ada");
    if (known !== null) return;
    await memory.initializeObservationalMemory({
      ...{ threadId: "thread-1", resourceId: "ada" },
      ...{ scope: "thread", config: {} },
    });
  });

/** Two requests of the same new thread come at once. */
export default defineScenario({
  setup: ({ url }) => withStore(url, (store) => store.init()),
  clients: { first: remember, second: remember },
  invariants: {
    "a thread has one memory of each generation": `
      select "lookupKey", "generationCount", count(*) from mastra_observational_memory
       group by "lookupKey", "generationCount" having count(*) > 1`,
  },
});
