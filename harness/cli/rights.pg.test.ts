import { readFile, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { exists } from "../postgres/cache.ts";
import { connect, withClient, withDatabase } from "../postgres/connection.ts";
import { startEmbedded } from "../postgres/embedded.ts";
import type { Server } from "../postgres/provider.ts";
import { printed, TestFolder } from "./heddle.fixture.ts";
import { COMMANDS } from "./main.ts";
import { PROXY, RIGHTS, ROLES, rightsTable, WITHOUT_SERVER } from "./rights.fixture.ts";

const at = (path: string) => JSON.stringify(import.meta.resolve(path));

const scenario = (withdrawal: string) => `import { defineScenario } from ${at("../index.ts")};
import pg from ${at("pg")};
async function withdraw({ url }) {
  const db = new pg.Client(url);
  db.on("error", () => {});
  await db.connect();
  ${withdrawal}
  await db.end();
}
export default defineScenario({
  setup: "create table accounts (balance int); insert into accounts values (100)",
  clients: { ada: withdraw, bob: withdraw },
  invariants: { "no debt": "select * from accounts where balance < 0" },
});`;
const RACE = scenario(`const { rows } = await db.query("select balance from accounts");
  if (rows[0].balance >= 60) await db.query("update accounts set balance = balance - 60");`);
const SAFE = scenario(
  `await db.query("update accounts set balance = balance - 60 where balance >= 60");`,
);

const definition = (scenarios: string) => `import fc from ${at("fast-check")};
import { defineService, sql } from ${at("../index.ts")};
export default defineService({
  setup: "create table items (id int primary key, n int); insert into items values (1, 0)",
  operations: { add: sql("update items set n = n + $1 where id = 1", [fc.constantFrom(1, 2)]) },
  ${scenarios}
});`;
/** Each execution begins after a prefix. */
const OWN = definition(
  `scenarios: (_, generate) => generate("add").map((add) => ({
    initial: { prefix: [add] },
    clients: [[add], [add]],
  })),`,
);

const TICKETS = `import { INDEX, oneTicket, tickets } from ${at("../mutation/tickets.fixture.ts")};
import { withClient } from ${at("../postgres/connection.ts")};
export default tickets({
  seededBugs: [{ name: "none", origin: "", equivalent: "It changes nothing." }],
  survivors: [{ id: INDEX, verdict: "equivalent", reason: "the lock is enough" }],
  promises: [{ ...oneTicket, protections: oneTicket.protections.slice(-1) }],
  attacks: [{
    name: "look", description: "", rules: [],
    begin: async ({ databaseUrl }) => ({
      initial: undefined,
      round: async () => {
        await withClient(databaseUrl, (client) => client.query("select * from verify()"));
        return { events: [], latencies: [], violations: [] };
      },
      end: async () => [],
      close: async () => {},
    }),
  }],
});`;

const SPEC = `setup { create table t (a int); }
teardown { drop table t; }
session s1
step one { insert into t values (1); }
permutation one
`;

const CHECK = `create function verify() returns table (check_name text, status text)
  language sql as $$ select 'all', 'PASS' $$`;

let place: TestFolder;
let existing: Server;
/** The URL of each role; the owner's is that of its database. */
const urls = new Map<string, string>();
let replayFile: string;

beforeAll(async () => {
  place = await TestFolder.make();
  await writeFile(place.path("race.mjs"), RACE);
  await writeFile(place.path("safe.mjs"), SAFE);
  await writeFile(place.path("own.mjs"), OWN);
  await writeFile(place.path("derived.mjs"), definition(""));
  await writeFile(place.path("tickets.ts"), TICKETS);
  await writeFile(place.path("one.spec"), SPEC);
  existing = await startEmbedded({ over: "tcp" });
  const url = withDatabase((await existing.lease()).url, "postgres");
  const admin = await connect(url);
  for (const [role, name, rights] of [
    ["superuser", "mighty", "superuser"],
    ["CREATEDB alone", "maker", "createdb"],
    ["owner of one database", "owner", ""],
  ] as const) {
    await admin.query(`create role ${name} login password '${name}' ${rights}`);
    await admin.query(`create database ${name} owner ${name}`);
    const own = new URL(withDatabase(url, name));
    own.username = own.password = name;
    urls.set(role, own.href);
    await withClient(own.href, (client) => client.query(CHECK));
  }
  await admin.end();
  const found = await place.heddle(
    ...["run", "race.mjs", "--seed", "1", "--postgres", url, "--report", "found"],
  );
  replayFile = /heddle replay (\S+)/.exec(found.stdout)?.[1] ?? "";
  expect(replayFile).not.toBe("");
});

afterAll(async () => {
  await existing.stop();
  await place.remove();
});

describe.each(ROLES)("%s", (role) => {
  // A superuser may do everything, and most other tests run as one.
  const tags = role === "superuser" ? ["nightly"] : [];

  test.each(RIGHTS)("$what", { tags }, async ({ args, outcomes }) => {
    await rm(place.path("exported"), { recursive: true, force: true });
    const given = args.map((arg) =>
      arg === "URL" ? (urls.get(role) ?? "") : arg === "FILE" ? replayFile : arg,
    );
    const { code, stdout, stderr } = await place.heddle(...given);
    const said = `${stderr} ${stdout}`.replaceAll(/\s+/g, " ");
    const { cell, code: expected, says = /./ } = outcomes[role];
    expect(said).toMatch(says);
    expect(code).toBe(expected);
    const files = ["README.md", "setup.sql", "reproduction.spec", "reproduction.out"];
    const written = await Promise.all(
      files.map((file) => exists(join(place.path("exported"), file))),
    );
    const exports = args.includes("--export") && cell === "works";
    expect(written).toEqual(files.map(() => exports));
  });

  test(PROXY.what, async () => {
    const { code: expected, says = /^\ninterrupted: / } = PROXY.outcomes[role];
    const { child, ended } = place.start("proxy", "--database-url", urls.get(role) ?? "");
    let output = "";
    child.stdout?.on("data", (text: string) => {
      output += text;
    });
    await printed(child, "token ");
    const url = /database (\S+)/.exec(output)?.[1] ?? "";
    await withClient(url, (client) => client.query("select * from verify()"));
    child.kill("SIGINT");
    const { code, stderr } = await ended;
    expect(stderr).toMatch(says);
    expect(code).toBe(expected);
  });
});

test("the documents have this table, and each command", async () => {
  const page = await readFile(new URL("../../docs/security.md", import.meta.url), "utf8");
  expect(page).toContain(rightsTable());
  expect(page).toContain(`${WITHOUT_SERVER.map((name) => `\`${name}\``).join(", ")} use no server`);
  const commands = [...COMMANDS.map(([usage]) => usage.split(" ")[0]), "mutants", "layers"];
  const covered = [...[...RIGHTS, PROXY].map(({ args }) => args[0]), ...WITHOUT_SERVER];
  expect(commands.filter((name) => !covered.includes(name))).toEqual([]);
});
