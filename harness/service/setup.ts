import { Client, DatabaseError } from "pg";
import { attributed } from "../execution/system.ts";
import type { ScenarioDefinition } from "./scenario-definition.ts";

/** Gives the scenario its tables and rows, in an empty database. */
export async function setUp({ setup }: ScenarioDefinition, url: string): Promise<void> {
  const work = typeof setup === "string" ? execute(setup, url) : calling(() => setup({ url }));
  await attributed("the scenario's setup", work);
}

async function execute(sql: string, connectionString: string): Promise<void> {
  const client = new Client({ connectionString });
  await client.connect();
  try {
    await client.query(sql);
  } catch (error) {
    if (!(error instanceof DatabaseError) || error.position === undefined) throw error;
    // Postgres counts characters from 1.
    const line = sql.slice(0, Number(error.position) - 1).split("\n").length;
    throw new Error(`${error.message}, in line ${line}`, { cause: error });
  } finally {
    await client.end();
  }
}

/** What throws at once fails like what throws later. */
async function calling(setup: () => unknown): Promise<void> {
  await setup();
}
