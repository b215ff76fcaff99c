import { PostgresSaver } from "@langchain/langgraph-checkpoint-postgres";
import { defineScenario } from "heddle";

/** One process of an application that starts, as the package's README says. */
const start = async ({ url }) => {
  const checkpointer = PostgresSaver.fromConnString(url);
  try {
    await checkpointer.setup();
  } finally {
    await checkpointer.end();
  }
};

/** Two processes start for the first time. */
export default defineScenario({
  setup: "",
  clients: { first: start, second: start },
});
