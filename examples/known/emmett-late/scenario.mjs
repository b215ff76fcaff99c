import { dumbo } from "@event-driven-io/dumbo";
import { getPostgreSQLEventStore, readMessagesBatch } from "@event-driven-io/emmett-postgresql";
import { defineScenario } from "heddle";

async function withStore(url, autoMigration, work) {
  const store = getPostgreSQLEventStore(url, { schema: { autoMigration } });
  try {
    await work(store);
  } finally {
    await store.close();
  }
}

const appends =
  (stream) =>
  ({ url }) =>
    withStore(url, "None", (store) =>
      store.appendToStream(stream, [{ type: "Woven", data: { stream } }]),
    );

/** What a consumer does in each turn: it reads what comes after its checkpoint, which becomes the last position. */
async function consumes({ url }) {
  const pool = dumbo({ connectionString: url });
  try {
    const { messages, currentGlobalPosition } = await readMessagesBatch(pool.execute, {
      after: 0n,
      batchSize: 100,
    });
    return { consumed: messages.length, checkpoint: Number(currentGlobalPosition) };
  } finally {
    await pool.close();
  }
}

/** Two clients append to different streams, while a consumer reads. It gets each message, now or in its next turn. */
export default defineScenario({
  setup: ({ url }) => withStore(url, "None", (store) => store.schema.migrate()),
  clients: { first: appends("first"), second: appends("second"), consumer: consumes },
  invariants: {
    "no message is passed over": async ({ query, outcomes }) => {
      const { consumed, checkpoint } = outcomes.consumer.value;
      const [{ left }] = await query(
        "select count(*)::int as left from emt_messages where global_position > $1",
        [checkpoint],
      );
      return consumed + left < 2 ? [{ consumed, left, checkpoint }] : [];
    },
  },
});
