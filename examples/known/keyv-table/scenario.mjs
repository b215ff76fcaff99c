import { fileURLToPath } from "node:url";
import { defineScenario } from "heddle";

const set = (namespace) => ({
  exec: [process.execPath, fileURLToPath(new URL("set.mjs", import.meta.url)), namespace],
});

/** Two processes of an application start for the first time, and each stores a value. */
export default defineScenario({
  setup: "",
  clients: { first: set("a"), second: set("b") },
  invariants: {
    "both values are stored": "select count(*) from keyv having count(*) <> 2",
  },
});
