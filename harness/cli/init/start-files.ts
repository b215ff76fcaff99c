/** A scenario with a race, for a folder in which no service is found. */
export const RACE = `import { defineScenario } from "heddle";
import pg from "pg";

/**
 * Adds one to the counter, as an application would. It may use any driver, pool or ORM, as long as it
 * connects to \`url\` and closes its connections.
 */
async function increment({ url }) {
  const db = new pg.Client(url);
  await db.connect();
  try {
    const { rows } = await db.query("select value from counters where id = 1");
    await db.query("update counters set value = $1 where id = 1", [rows[0].value + 1]);
  } finally {
    await db.end();
  }
}

export default defineScenario({
  // Runs once, on an empty database. Heddle restores these rows before each execution.
  setup: \`
    create table counters (id int primary key, value int not null);
    insert into counters values (1, 0)\`,

  // The clients run concurrently. Heddle decides whose statement runs next.
  clients: { ada: increment, bob: increment },

  // What has to hold after every interleaving: a query that must return no rows.
  invariants: {
    "every increment counts": "select value from counters where value <> 2",
  },
});
`;

/** A workflow of GitHub that runs a command of Heddle, such as `verify shop.heddle.ts`. */
export function workflowFor(command: string): string {
  return `name: heddle
on: [push, pull_request]
jobs:
  heddle:
    runs-on: ubuntu-latest
    steps:
      - uses: actions/checkout@v4
      - uses: actions/setup-node@v4
        with:
          node-version: 24
      - run: npm ci
      - run: npx heddle ${command}
      - if: failure()
        uses: actions/upload-artifact@v4
        with:
          name: heddle
          path: reports
`;
}
