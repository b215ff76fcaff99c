import { Client } from "pg";
import type { ScenarioDefinition } from "./definition.ts";

/** Gives the scenario its tables and rows, in an empty database. */
export async function setUp({ setup }: ScenarioDefinition, url: string): Promise<void> {
  if (typeof setup !== "string") {
    await setup({ url });
    return;
  }
  const client = new Client({ connectionString: url });
  await client.connect();
  try {
    await client.query(setup);
  } finally {
    await client.end();
  }
}
