import { defineScenario } from "../../harness/index.ts";

/** A psql process that claims a seat: checks whether it is free, and then claims it. */
const claim = (client: string) =>
  ({ exec: ["psql", "--quiet", "-X", "-v", `client=${client}`, "-f", "claim.sql"] }) as const;

export default defineScenario({
  setup: "create table claims (seat int, client text)",
  clients: { ada: claim("ada"), bob: claim("bob") },
  invariants: {
    "a seat has one claim": "select seat, count(*) from claims group by seat having count(*) > 1",
  },
});
