import { defineScenario } from "../harness/index.ts";
import { INVARIANTS, offDuty, SETUP } from "./write-skew.ts";

/** The fix: SERIALIZABLE aborts one of the two transactions (40001), which has to be retried. */
const leave = offDuty("serializable");

export default defineScenario({
  setup: SETUP,
  clients: { ada: (context) => leave("ada", context), bob: (context) => leave("bob", context) },
  errors: ["40001"],
  invariants: INVARIANTS,
});
