import { spawnSync } from "node:child_process";
import postgres from "postgres";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type ScenarioDefinition, type VerifyOptions, verify } from "../index.ts";
import { withClient } from "../postgres/connection.ts";
import { processes } from "../postgres/harness-process.fixture.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { scenarioService } from "./scenario-service.ts";
import { noLostUpdate } from "./scenarios.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

const run = (definition: ScenarioDefinition, options: Partial<VerifyOptions> = {}) =>
  verify(server, scenarioService(definition, "a.ts", new URL(import.meta.url)), {
    seed: 1,
    control: { gates: ["statement"] },
    ...options,
  });

const NAME = "select current_database() as name";

const nameAt = (url: string) => withClient(url, async (it) => (await it.query(NAME)).rows[0]?.name);

/** Clients that connect by the connection string, and answer with the name of the database. */
const LIBRARIES: { readonly [library: string]: ScenarioDefinition["clients"][string] } = {
  "node-postgres": ({ url }) => nameAt(url),
  "postgres.js": async ({ url }) => {
    const sql = postgres(url);
    const [row] = await sql.unsafe<{ name: string }[]>(NAME);
    await sql.end();
    return row?.name;
  },
  libpq: { exec: ["sh", "-c", `psql -At "$DATABASE_URL" -c '${NAME}'`] },
  "the parts": {
    exec: ["sh", "-c", `psql -At -c '${NAME}'`],
  },
  psycopg: {
    exec: [
      "/usr/bin/python3",
      "-c",
      `import os, psycopg\nwith psycopg.connect(os.environ["DATABASE_URL"]) as db: print(db.execute("${NAME}").fetchone()[0])`,
    ],
  },
  // Its driver takes the address from between // and /, and splits that at the last colon.
  "a driver like JDBC's": {
    exec: [
      process.execPath,
      "-e",
      `
      const [, host, port, name, query] = process.env.JDBC_DATABASE_URL.match(/^jdbc:postgresql:..([^/]+):(.*?).([^/?]+)\\?(.*)$/);
      const { user, password } = Object.fromEntries(new URLSearchParams(query));
      const db = new (require("pg").Client)({ host, port: Number(port), database: name, user, password });
      db.connect().then(() => db.query("${NAME}")).then(({ rows }) => console.log(rows[0].name)).finally(() => db.end());`,
    ],
  },
};

const lacks = (program: string, ...args: readonly string[]) =>
  process.env["CI"] === undefined && spawnSync(program, args).status !== 0;

test("one connection string leads every library to the database, and a setup may be anything", async ({
  skip,
}) => {
  skip(
    lacks("psql", "--version") || lacks("/usr/bin/python3", "-c", "import psycopg"),
    "psql or psycopg is missing",
  );
  const urls = new Set<string>();
  const note = ({ url }: { readonly url: string }) => {
    const { protocol, hostname, port, username, password, pathname } = new URL(url);
    const has = [port, username, password, pathname.slice(1)].map((part) => part !== "");
    urls.add(JSON.stringify([protocol, hostname, has]));
  };
  const names: unknown[] = [];
  const { campaign } = await run(
    {
      setup: [
        "create table step (number int)",
        { exec: ["sh", "-c", `psql "$DATABASE_URL" -c "insert into step values (1)"`] },
        async ({ url }) => {
          note({ url });
          await withClient(url, (it) => it.query("insert into step values (2)"));
        },
      ],
      clients: {
        ...LIBRARIES,
        "a parser of URLs": ({ url }) => {
          note({ url });
          return nameAt(url);
        },
      },
      invariants: {
        "the setup is complete": "select from step having count(*) <> 2",
        "each client answers": ({ outcomes }) => {
          names.push(
            ...Object.values(outcomes).map((it) => ("value" in it ? it.value : it.message)),
          );
          return [];
        },
      },
    },
    { runs: 1 },
  );
  expect(campaign).toMatchObject({ verdict: "pass", executions: 1 });
  expect([...urls]).toEqual(['["postgresql:","127.0.0.1",[true,true,true,true]]']);
  expect(names).toHaveLength(7);
  expect(new Set(names).size).toBe(1);
  expect(names[0]).toMatch(/^heddle_/);
});

const PROGRAM = `
  const { Client } = require("pg");
  const db = new Client(process.env.DATABASE_URL);
  (async () => {
    await db.connect();
    const { rows } = await db.query("update counter set value = value + 1 returning value");
    await db.end();
    console.log(rows[0].value);
  })();`;

test("a program that is started ahead sees the state of its own execution, and none is left", async () => {
  const mark = "started-ahead-by-a-test";
  const program = { exec: [process.execPath, "-e", PROGRAM, mark] as const };
  const answers: string[] = [];
  const { campaign } = await run(
    {
      ...noLostUpdate,
      clients: { a: program, b: program },
      invariants: {
        "each increment counts": ({ outcomes }) => {
          answers.push(
            Object.values(outcomes)
              .map((it) => "value" in it && it.value)
              .sort()
              .join(),
          );
          return [];
        },
      },
    },
    { runs: 4 },
  );
  expect(campaign).toMatchObject({ verdict: "pass", executions: 4 });
  expect(answers).toEqual(["1,2", "1,2", "1,2", "1,2"]);
  const left = () => processes().filter(({ command }) => command.includes(mark));
  await expect.poll(left).toEqual([]);
});

test("a verdict leaves out the moment at which a timeout of the application ends a statement", async () => {
  const add =
    (...before: readonly string[]) =>
    ({ url }: { readonly url: string }) =>
      withClient(url, async (client) => {
        for (const sql of [...before, "begin", "update counter set value = value + 1", "commit"])
          await client.query(sql);
      });
  const scenario = {
    ...noLostUpdate,
    errors: ["55P03"],
    invariants: {},
    clients: { patient: add(), hurried: add("set lock_timeout = '5ms'") },
  };
  const { campaign } = await run(scenario);
  expect(campaign).toMatchObject({
    verdict: "pass",
    ungated: [
      {
        name: "the moment at which a timeout of the application ends a statement",
        sampled: null,
      },
    ],
  });
  expect(campaign.coverage.some((sentence) => sentence.includes("without a bound"))).toBe(true);
  expect(campaign.uncontrolled.some((sentence) => sentence.includes("lock_timeout"))).toBe(true);
});
