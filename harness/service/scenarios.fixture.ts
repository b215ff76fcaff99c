import { Client } from "pg";
import type { ClientContext, ScenarioDefinition } from "./scenario-definition.ts";

/** Runs on a connection of its own, which is closed in the end. */
export async function connected<T>(url: string, work: (client: Client) => Promise<T>): Promise<T> {
  const client = new Client({ connectionString: url });
  client.on("error", () => {});
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

/** Reads a counter, and writes one more than it read. */
const increment = ({ url }: ClientContext) =>
  connected(url, async (client) => {
    const { rows } = await client.query<{ value: number }>("select value from counter");
    const next = Number(rows[0]?.value) + 1;
    await client.query("update counter set value = $1", [next]);
    return next;
  });

const atOnce = ({ url }: ClientContext) =>
  connected(url, async (client) => {
    await client.query("update counter set value = value + 1");
  });

const COUNTER: Omit<ScenarioDefinition, "clients"> = {
  setup: "create table counter (value int not null); insert into counter values (0)",
  invariants: { "no update is lost": "select value from counter where value <> 2" },
};

export const lostUpdate: ScenarioDefinition = {
  ...COUNTER,
  clients: { a: increment, b: increment },
};

export const noLostUpdate: ScenarioDefinition = { ...COUNTER, clients: { a: atOnce, b: atOnce } };
