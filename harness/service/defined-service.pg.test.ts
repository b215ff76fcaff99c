import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import fc from "fast-check";
import { Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  defineService,
  http,
  rowOf,
  type ServiceDefinition,
  type ServiceInvariantContext,
  sql,
  type VerifyOptions,
  verify,
} from "../index.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { definedService } from "./defined-service.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

const file = new URL(import.meta.url);

async function run(definition: ServiceDefinition, options: Partial<VerifyOptions> = {}) {
  const { campaign, error } = await verify(server, definedService(definition, "a.ts", file), {
    seed: 1,
    runs: 150,
    ...options,
  });
  expect(error).toBeUndefined();
  return campaign;
}

/** The operations of each counterexample, and the rule that it breaks. */
const found = ({ counterexamples }: Awaited<ReturnType<typeof run>>) =>
  counterexamples
    .map(({ scenario, violations: [first] }) => [
      scenario.clients
        .flat()
        .map(({ name }) => name)
        .join(" × "),
      first?.name,
    ])
    .sort();

/** Tickets of a box office. `take` has a race, and `give` has none. */
const TICKETS = `
  create table shows (id int generated always as identity primary key, seats int not null);
  create table tickets (
    id int generated always as identity primary key,
    show_id int not null references shows,
    state text not null default 'taken'
  );
  insert into shows (seats) values (1), (2);
  create function take(which int) returns int language plpgsql as $$
  declare ticket int;
  begin
    if (select count(*) from tickets where show_id = which and state = 'taken')
       >= (select seats from shows where id = which) then
      raise exception 'sold out' using errcode = 'P0002';
    end if;
    insert into tickets (show_id) values (which) returning id into ticket;
    return ticket;
  end $$;
  create function give(which int) returns boolean language sql as $$
    update tickets set state = 'given' where id = which and state = 'taken' returning true
  $$;`;

const FIXED = `
  create or replace function take(which int) returns int language plpgsql as $$
  declare ticket int;
  begin
    perform from shows where id = which for update;
    if (select count(*) from tickets where show_id = which and state = 'taken')
       >= (select seats from shows where id = which) then
      raise exception 'sold out' using errcode = 'P0002';
    end if;
    insert into tickets (show_id) values (which) returning id into ticket;
    return ticket;
  end $$;`;

const tickets = defineService({
  setup: TICKETS,
  operations: {
    take: sql("select take($1) as id", [rowOf("shows.id")]),
    give: sql("select give($1)", [rowOf("tickets.id")]),
  },
});

test("functions with a race are caught without a model, in a state that operations reach", async () => {
  const campaign = await run(tickets);
  expect(campaign).toMatchObject({ verdict: "fail", settings: { failFast: false } });
  expect(found(campaign)).toEqual([["take × take", "serially-equivalent"]]);
  const [first] = campaign.counterexamples;
  expect(first).toMatchObject({ preemptions: 1, shrunk: { minimal: true } });
  // A refusal by the function is an answer like any other.
  expect(campaign.responses["take"]).toMatchObject({
    OK: expect.any(Number),
    P0002: expect.any(Number),
  });
  expect(campaign.responses["give"]).toMatchObject({ OK: expect.any(Number) });
});

test("the same functions without the race pass, with ids that come in any order", async () => {
  const fixed = { ...tickets, setup: [TICKETS, FIXED] };
  expect(await run(fixed)).toMatchObject({ verdict: "pass", counterexamples: [] });
});

test("pairs are searched in a state in which both succeed, and the table names the red ones", async () => {
  const campaign = await run(tickets, { pairs: true, runs: undefined });
  expect(campaign.pairs.map(({ name, violated }) => [name, violated])).toEqual([
    ["take × take, same shows.id", "serially-equivalent"],
    ["take × take, different shows.id", undefined],
    ["take × give", undefined],
    ["give × give, same tickets.id", undefined],
    ["give × give, different tickets.id", undefined],
  ]);
  expect(campaign.pairs.every(({ explored }) => explored >= 2)).toBe(true);
});

test("pairs whose operations touch nothing in common are left out, and the report names them", async () => {
  const note = sql("insert into notes values ($1)", ["seen"]);
  const definition = {
    ...tickets,
    setup: [TICKETS, FIXED, "create table notes (line text)"],
    operations: { ...tickets.operations, note },
  };
  const campaign = await run(definition, { pairs: true, runs: undefined, preemptions: 1 });
  expect(campaign.verdict).toBe("pass");
  expect(campaign.pairs.map(({ name }) => name)).not.toContain("take × note");
  expect(campaign.pairs.map(({ name }) => name)).toContain("note × note, same arguments");
  expect(campaign.coverage).toContainEqual(
    expect.stringMatching(/^2 pairs were left out, .*: take × note; give × note\.$/),
  );
});

test("the same seed gives the same campaign", async () => {
  const [one, other] = [await run(tickets, { runs: 60 }), await run(tickets, { runs: 60 })];
  expect(other.digest).toBe(one.digest);
});

test("an operation that never succeeds is in no pair, and then there is no pass", async () => {
  const never = sql("select 1 / (select 0)");
  const campaign = await run(
    { ...tickets, setup: [TICKETS, FIXED], operations: { ...tickets.operations, never } },
    { runs: 30 },
  );
  expect(campaign.verdict).toBe("unknown");
  expect(campaign.reason).toMatch(/^the operation never never succeeded, so nothing was verified/);
});

/** Each hold is taken from the balance as it was read. Three holds of a wallet may be open. */
const WALLETS = `
  create table wallets (id int generated always as identity primary key, balance int not null);
  create table holds (
    id int generated always as identity primary key,
    wallet_id int not null references wallets,
    state text not null default 'open'
  );
  insert into wallets (balance) values (100), (100);
  create function hold(wallet int) returns int language plpgsql as $$
  begin
    if (select count(*) from holds where wallet_id = wallet) >= 3 then
      raise exception 'too many' using errcode = 'P0002';
    end if;
    insert into holds (wallet_id) values (wallet);
    return 1;
  end $$;
  create function capture(which int) returns int language plpgsql as $$
  declare held holds; before int;
  begin
    update holds set state = 'captured' where id = which and state = 'open' returning * into held;
    if held.id is null then raise exception 'not open' using errcode = 'P0002'; end if;
    select balance from wallets where id = held.wallet_id into before;
    update wallets set balance = before - 10 where id = held.wallet_id;
    return 1;
  end $$;`;

const hold = sql("select hold($1)", [rowOf("wallets.id")]);

const wallets = defineService({
  setup: WALLETS,
  operations: {
    hold,
    capture: sql("select capture($1)", [rowOf("holds.id")]),
  },
});

test("races are found that need two rows of a kind, or a quota that is almost used up", async () => {
  const campaign = await run(wallets, { pairs: true, runs: undefined, preemptions: 1 });
  expect(campaign.pairs.filter(({ violated }) => violated).map(({ name }) => name)).toEqual([
    "hold × hold, same wallets.id, almost used up",
    "capture × capture, different holds.id",
  ]);
  expect(found(campaign)).toEqual([
    ["capture × capture", "serially-equivalent"],
    ["hold × hold", "serially-equivalent"],
  ]);
  // No more operations come before them than the races need.
  const prefixes = campaign.counterexamples.map(
    ({ scenario }) => (scenario.initial as { prefix: unknown[] }).prefix.length,
  );
  expect(prefixes).toEqual([2, 2]);
});

test("pairs for which no state was reached are named", async () => {
  const definition = {
    ...wallets,
    setup: [WALLETS, "delete from wallets where id = 2"],
    operations: { hold },
  };
  const campaign = await run(definition, { pairs: true, runs: undefined, preemptions: 0 });
  expect(campaign.coverage).toContainEqual(
    expect.stringMatching(
      /^For 1 pair .* in which both succeed, .*: hold × hold, different wallets\.id\./,
    ),
  );
});

test("two races of the same operations are two findings if they are about other tables", async () => {
  const counter = (name: string) => `
    create table ${name} (value int not null);
    insert into ${name} values (0);
    create function raise_${name}() returns void language plpgsql as $$
    declare before int;
    begin
      select value from ${name} into before;
      update ${name} set value = before + 1;
    end $$;`;
  const definition = defineService({
    setup: `${counter("visits")} ${counter("clicks")}
      create procedure raise_both() language plpgsql as $$
      begin
        perform raise_visits();
        commit;
        perform raise_clicks();
      end $$`,
    operations: { raise: sql("call raise_both()") },
  });
  const { counterexamples, pairs } = await run(definition, {
    ...{ pairs: true, runs: undefined, preemptions: 1 },
  });
  expect(pairs.map(({ complete }) => complete)).toEqual([true]);
  expect(counterexamples.map(({ violations: [first] }) => first?.about).sort()).toEqual([
    ["public.clicks"],
    ["public.visits"],
  ]);
});

test("values that differ in each execution make no further outcome of a pair", async () => {
  const definition = defineService({
    setup: "create table tokens (token uuid default gen_random_uuid(), at timestamptz)",
    operations: {
      make: sql("insert into tokens (at) values (clock_timestamp()) returning token, at"),
    },
  });
  const { pairs } = await run(definition, { pairs: true, runs: undefined, preemptions: 1 });
  expect(pairs.map(({ outcomes, explored }) => [outcomes, explored > 1])).toEqual([[1, true]]);
});

test("invariants are SQL, or functions of the initial state and of the answers", async () => {
  const states: number[] = [];
  const counted = async ({ query, initial, answers }: ServiceInvariantContext) => {
    const before = initial["public.tickets"]?.length ?? 0;
    const taken = answers.filter(({ operation, code }) => operation === "take" && code === "OK");
    states.push(before);
    return query(`select id from tickets offset ${before + taken.length}`);
  };
  const campaign = await run({
    ...tickets,
    invariants: {
      "no show is oversold": `
        select show_id from tickets join shows on shows.id = show_id where state = 'taken'
         group by show_id, seats having count(*) > seats`,
      "every ticket was taken": counted,
    },
  });
  expect(found(campaign)).toEqual([["take × take", "no show is oversold"]]);
  expect(new Set(states).size).toBeGreaterThan(1);
});

test("an answer that PostgreSQL gives for a service is a finding, unless the definition expects it", async () => {
  const counters = defineService({
    isolation: "serializable",
    setup: `
      create table counters (id int primary key, value int);
      insert into counters values (1, 0);
      create function raise_count(which int) returns void language plpgsql as $$
      begin
        perform from counters where id = which;
        update counters set value = value + 1 where id = which;
      end $$`,
    operations: { count: sql("select raise_count($1)", [rowOf("counters.id")]) },
  });
  const options = { checkers: ["contract"], runs: 20 } as const;
  expect(found(await run(counters, options))).toEqual([["count × count", "unexpected-40001"]]);
  const expected = await run({ ...counters, errors: ["40001"] }, options);
  expect(expected).toMatchObject({ verdict: "pass" });
  expect(expected.responses["count"]).toHaveProperty("40001");
});

test("a table or column that is ignored may differ from every serial order", async () => {
  const definition = defineService({
    setup: `
      create table visits (id int primary key, seen int not null);
      create table log (line text);
      insert into visits values (1, 0);
      create function visit() returns void language plpgsql as $$
      declare before int;
      begin
        before := (select seen from visits);
        update visits set seen = before + 1;
        insert into log values (before);
      end $$`,
    operations: { visit: sql("select visit()") },
  });
  expect(found(await run(definition, { runs: 20 }))).toHaveLength(1);
  const ignore = ["visits.seen", "log"];
  expect(await run({ ...definition, ignore }, { runs: 20 })).toMatchObject({ verdict: "pass" });
});

test("a service in this process is started by a function, and stopped", async () => {
  let running = 0;
  const campaign = await run(
    defineService({
      setup: "create table votes (id int generated always as identity primary key, voter text)",
      service: async ({ databaseUrl }) => {
        running++;
        const pool = new Pool({ connectionString: databaseUrl });
        const vote = async (request: IncomingMessage, response: ServerResponse) => {
          const [body] = await request.setEncoding("utf8").toArray();
          const { voter } = JSON.parse(body);
          const { rowCount } = await pool.query("select from votes where voter = $1", [voter]);
          if (rowCount === 0) await pool.query("insert into votes (voter) values ($1)", [voter]);
          response.writeHead(rowCount === 0 ? 201 : 409).end();
        };
        const listener = createServer((request, response) => {
          void vote(request, response);
        });
        await new Promise<void>((resolve) => listener.listen(0, "127.0.0.1", resolve));
        return {
          url: `http://127.0.0.1:${(listener.address() as AddressInfo).port}`,
          async stop() {
            running--;
            listener.closeAllConnections();
            listener.close();
            await pool.end();
          },
        };
      },
      operations: { vote: http.post("/votes", { voter: fc.constantFrom("ada", "bob") }) },
    }),
    { runs: 40 },
  );
  expect(found(campaign)).toEqual([["vote × vote", "serially-equivalent"]]);
  expect(running).toBe(0);
});

test.each([
  [
    "SQL that fails",
    { setup: "select 1 from nowhere" },
    /the setup's SQL failed: .*"nowhere" does not exist, in line 1/,
  ],
  [
    "files that there are not",
    { setup: "nowhere/*.sql" },
    /the setup names nowhere\/\*\.sql, and there is no such file/,
  ],
  [
    "a program that fails",
    { setup: { exec: ["node", "--eval", "process.exit(3)"] } },
    /the setup node .* ended with EXIT_3/,
  ],
  [
    "a row of no table",
    { setup: TICKETS, operations: { take: sql("select take($1)", [rowOf("show.id")]) } },
    /rowOf\("show\.id"\) names a column that there is not/,
  ],
] as const)("%s is an error with a reason", async (_, change, reason) => {
  const definition = definedService({ ...tickets, ...change }, "a.ts", file);
  await expect(verify(server, definition, { seed: 1, runs: 1 })).rejects.toThrow(reason);
});
