import fc from "fast-check";
import { Client, DatabaseError } from "pg";
import type { JsonObject } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { System, SystemContext } from "../execution/system.ts";
import type { Service } from "../service/service.ts";

/** One statement, on a connection of its client. */
type Call = Operation & { readonly name: "call"; readonly sql: string };

/** Functions that race with each other. */
interface Race {
  readonly name: string;
  readonly schema: string;
  readonly reset: string;
  /** The statement of each client. */
  readonly calls: readonly string[];
  /** A query that must return no rows at the end. */
  readonly wrong: string;
}

function serviceOf({ name, schema, reset, calls, wrong }: Race): Service<null, Call> {
  const scenario = { initial: null, clients: calls.map((sql): Call[] => [{ name: "call", sql }]) };
  return {
    name,
    migrate: async (directUrl) => {
      const client = await connected(directUrl);
      await client.query(schema);
      await client.end();
    },
    start: (context) => start(context, reset, calls.length, wrong),
    scenarios: () => fc.constant(scenario),
    pairs: () => [{ name, scenario }],
    patterns: [],
    invariants: [
      {
        name,
        description: "The query returns no rows.",
        check: ({ wrong: rows = [] }) =>
          rows.map((row) => ({
            checker: "invariant",
            name,
            message: "the query returns rows",
            evidence: [row],
          })),
      },
    ],
    codes: { call: ["OK", "40001"] },
    seededBugs: [],
    sources: [],
  };
}

async function start(
  { gatedUrl, directUrl }: SystemContext,
  reset: string,
  size: number,
  wrong: string,
): Promise<System<null, Call>> {
  const direct = await connected(directUrl);
  const clients: Client[] = [];
  while (clients.length < size) clients.push(await connected(gatedUrl));
  return {
    reset: async () => {
      await direct.query(reset);
    },
    perform: async ({ sql }, number) => {
      try {
        await clients[number]?.query(sql);
        return { outcome: "ok", code: "OK", body: null };
      } catch (error) {
        if (!(error instanceof DatabaseError)) throw error;
        return { outcome: "fail", code: error.code ?? "?", body: null };
      }
    },
    observe: async () => ({ wrong: (await direct.query<JsonObject>(wrong)).rows }),
    stop: async () => {
      for (const client of [direct, ...clients]) await client.end();
    },
  };
}

async function connected(connectionString: string): Promise<Client> {
  const client = new Client({ connectionString });
  client.on("error", () => {});
  await client.connect();
  return client;
}

/** Reads a counter, and writes the value that it read plus one. Each call inserts a row as well. */
export const lostUpdate = serviceOf({
  name: "lost-update",
  schema: `
    create table counters (id int primary key, value int not null);
    create table increments (counter int not null);
    create function increment(counter int) returns int language plpgsql as $$
    declare
      seen int;
    begin
      select value into seen from counters where id = counter;
      insert into increments values (counter);
      update counters set value = seen + 1 where id = counter;
      return seen + 1;
    end $$`,
  reset: "delete from counters; delete from increments; insert into counters values (1, 0)",
  calls: ["select increment(1)", "select increment(1)"],
  wrong: "select * from counters where value <> (select count(*) from increments)",
});

/** A doctor goes off duty if another one is on duty, which two snapshots can both show. */
export const writeSkew = serviceOf({
  name: "write-skew",
  schema: `
    create table doctors (id int primary key, on_duty boolean not null);
    create function leave(doctor int) returns boolean language plpgsql as $$
    begin
      if (select count(*) from doctors where on_duty) < 2 then
        return false;
      end if;
      update doctors set on_duty = false where id = doctor;
      return true;
    end $$`,
  reset: "delete from doctors; insert into doctors values (1, true), (2, true)",
  calls: ["select leave(1)", "select leave(2)"],
  wrong: "select count(*)::int as on_duty from doctors where on_duty having count(*) = 0",
});
