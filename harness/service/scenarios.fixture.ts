import { withClient } from "../postgres/connection.ts";
import type { ClientContext, ScenarioDefinition } from "./scenario-definition.ts";

/** Reads a counter, and writes the value plus one: a race. */
const increment = ({ url }: ClientContext) =>
  withClient(url, async (client) => {
    const { rows } = await client.query<{ value: number }>("select value from counter");
    const next = Number(rows[0]?.value) + 1;
    await client.query("update counter set value = $1", [next]);
    return next;
  });

/** Increments the counter in one statement: no race. */
const atomicIncrement = ({ url }: ClientContext) =>
  withClient(url, async (client) => {
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

export const noLostUpdate: ScenarioDefinition = {
  ...COUNTER,
  clients: { a: atomicIncrement, b: atomicIncrement },
};
