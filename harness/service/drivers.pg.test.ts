import "reflect-metadata";
import { eq } from "drizzle-orm";
import { drizzle } from "drizzle-orm/node-postgres";
import { integer, pgTable } from "drizzle-orm/pg-core";
import knex from "knex";
import { Pool } from "pg";
import postgres from "postgres";
import { DataTypes, Sequelize } from "sequelize";
import { DataSource } from "typeorm";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScenarioDefinition, verify } from "../index.ts";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { scenarioService } from "./scenario-service.ts";
import { lostUpdate } from "./scenarios.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

type Increment = (url: string) => Promise<unknown>;

/** By driver: reads a counter, and writes the value plus one. */
const drivers: { readonly [driver: string]: Increment } = {
  "node-postgres": (url) =>
    withClient(url, async (client) => {
      const read = { name: "read", text: "select value from counter" };
      const { rows } = await client.query<{ value: number }>(read);
      await client.query("update counter set value = $1", [Number(rows[0]?.value) + 1]);
    }),

  "a pool of node-postgres, in a transaction": async (url) => {
    const pool = new Pool({ connectionString: url });
    const client = await pool.connect();
    await client.query("begin");
    const { rows } = await client.query<{ value: number }>("select value from counter");
    await client.query("update counter set value = $1", [Number(rows[0]?.value) + 1]);
    await client.query("commit");
    client.release();
    await pool.end();
  },

  "postgres.js": async (url) => {
    const sql = postgres(url);
    const [row] = await sql<{ value: number }[]>`select value from counter`;
    await sql`update counter set value = ${Number(row?.value) + 1}`;
    await sql.end();
  },

  drizzle: async (url) => {
    const counter = pgTable("counter", { value: integer("value").notNull() });
    const pool = new Pool({ connectionString: url });
    const db = drizzle(pool);
    const [row] = await db.select().from(counter);
    const value = Number(row?.value);
    await db
      .update(counter)
      .set({ value: value + 1 })
      .where(eq(counter.value, counter.value));
    await pool.end();
  },

  knex: async (url) => {
    const db = knex({ client: "pg", connection: url });
    const row = await db("counter").first<{ value: number }>();
    await db("counter").update({ value: row.value + 1 });
    await db.destroy();
  },

  sequelize: async (url) => {
    const db = new Sequelize(url, { logging: false });
    const Counter = db.define(
      "counter",
      { value: { type: DataTypes.INTEGER, primaryKey: true } },
      { tableName: "counter", timestamps: false },
    );
    const row = await Counter.findOne();
    await Counter.update({ value: Number(row?.get("value")) + 1 }, { where: {} });
    await db.close();
  },

  typeorm: async (url) => {
    const source = await new DataSource({ type: "postgres", url }).initialize();
    const [row] = await source.query("select value from counter");
    await source
      .createQueryBuilder()
      .update("counter")
      .set({ value: row.value + 1 })
      .execute();
    await source.destroy();
  },
};

test.each(Object.entries(drivers))("catches a race through %s", async (_, increment) => {
  const client = ({ url }: { readonly url: string }) => increment(url);
  const scenario = { ...lostUpdate, clients: { a: client, b: client } };
  const service = scenarioService(scenario, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, { seed: 1 });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toMatchObject([{ preemptions: 1 }]);
  expect(campaign.responses).toMatchObject({ a: {}, b: {} });
});

const run = async (definition: ScenarioDefinition) => {
  const service = scenarioService(definition, "a.ts", new URL(import.meta.url));
  const { campaign, error } = await verify(server, service, { seed: 1 });
  expect(error).toBeUndefined();
  return campaign;
};

test("COPY is one step in both directions", async () => {
  const copy = async ({ url }: { readonly url: string }) => {
    const sql = postgres(url, { max: 1 });
    const rows = await sql`copy words to stdout`.readable();
    let text = "";
    for await (const chunk of rows) text += chunk;
    const writable = await sql`copy words from stdin`.writable();
    await new Promise((resolve) => writable.end(`${text}more\n`, () => resolve(undefined)));
    await sql.end();
    return text;
  };
  const campaign = await run({
    setup: "create table words (word text); insert into words values ('one')",
    clients: { a: copy, b: copy },
    invariants: { "both see one word": "select count(*) from words having count(*) <> 4" },
  });
  // A client that copies out after the other has copied in sees two words.
  expect(campaign.verdict).toBe("fail");
  const [found] = campaign.counterexamples;
  expect(found?.violations).toMatchObject([{ name: "both see one word" }]);
  const statements = found?.trace.flatMap((event) =>
    event.type === "statement" && /^copy/.test(event.statement.sql) ? event.statement.sql : [],
  );
  expect(statements).toHaveLength(4);
});

test("a notification is delivered when the scheduler chooses its listener", async () => {
  const campaign = await run({
    setup: "create table received (word text)",
    clients: {
      listener: ({ url }) =>
        withClient(url, async (client) => {
          const received = new Promise((resolve) => client.once("notification", resolve));
          await client.query("listen news");
          await client.query("select pg_notify('news', 'listening')");
          await received;
          await client.query("insert into received values ('listening')");
        }),
      other: ({ url }) => withClient(url, (client) => client.query("notify news")),
    },
    invariants: {
      "it is received": "select 'nothing' as received where not exists (select from received)",
    },
  });
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
});
