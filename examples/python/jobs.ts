import { defineScenario } from "../../harness/index.ts";

/** A Python process (with Debian's package python3-psycopg) that works on a job queue. */
const worker = (name: string) =>
  ({ exec: ["/usr/bin/python3", "claim.py"], env: { WORKER: name } }) as const;

export default defineScenario({
  setup: `
    create table jobs (id int primary key, worker text);
    create table done (job int, worker text);
    insert into jobs values (1, null), (2, null)`,
  clients: { first: worker("first"), second: worker("second") },
  invariants: { "a job is done once": "select job from done group by job having count(*) > 1" },
});
