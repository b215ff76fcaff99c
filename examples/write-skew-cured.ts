import { defineScenario } from "../harness/index.ts";
import { INVARIANTS, offDuty, SETUP } from "./write-skew.ts";

/** The cure: under SERIALIZABLE one of the two is refused (40001), and has to try again. */
const leave = offDuty("serializable");

export default defineScenario({
  setup: SETUP,
  clients: { ada: (context) => leave("ada", context), bob: (context) => leave("bob", context) },
  errors: ["40001"],
  invariants: INVARIANTS,
});
