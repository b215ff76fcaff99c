import assert from "node:assert/strict";
import { Client, Pool } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import {
  type ScenarioDefinition,
  type Strategy,
  strategies,
  type VerifyOptions,
  verify,
} from "../index.ts";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { InvariantContext } from "./scenario-definition.ts";
import { scenarioService } from "./scenario-service.ts";
import { lostUpdate, noLostUpdate } from "./scenarios.fixture.ts";

const FAULTS = ["cut-before", "cut-after", "cancel", "terminate", "give-up", "retry"] as const;

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

function pctOf(faults: readonly (typeof FAULTS)[number][]): Strategy {
  const found = strategies({ preemptions: 0, faults }).find(({ name }) => name === "pct");
  if (found === undefined) throw new Error("no pct strategy");
  return found;
}

const run = (definition: ScenarioDefinition, options: Partial<VerifyOptions> = {}) =>
  verify(server, scenarioService(definition, "a.ts", new URL(import.meta.url)), {
    seed: 1,
    // Most of these tests are about clients, and need few interleavings.
    control: { gates: ["statement", "routine"] },
    ...options,
  });

test("catches a race, and shrinking keeps its clients", async () => {
  const { campaign, error } = await run(lostUpdate);
  expect(error).toBeUndefined();
  expect(campaign).toMatchObject({ verdict: "fail", scenarios: 1, clients: { min: 2, max: 2 } });
  const [found] = campaign.counterexamples;
  expect(found?.violations).toEqual([
    {
      checker: "invariant",
      name: "no update is lost",
      message: '{"value":1}',
      evidence: [{ value: 1 }],
    },
  ]);
  expect(found).toMatchObject({
    preemptions: 1,
    scenario: { clients: [[{ name: "a" }], [{ name: "b" }]] },
  });
});

test("a scenario says at which isolation level its clients run, and an option comes first", async () => {
  const repeatable: ScenarioDefinition = { ...noLostUpdate, isolation: "repeatable-read" };
  const { campaign } = await run(repeatable, { control: {} });
  expect(campaign.control.isolation).toBe("repeatable read");
  // The second update of the same row fails at REPEATABLE READ alone.
  const [found] = campaign.counterexamples;
  expect(JSON.stringify(found?.violations)).toContain("40001");
  const weaker = await run(repeatable, { control: { isolation: "read committed" } });
  expect(weaker.campaign).toMatchObject({
    verdict: "pass",
    control: { isolation: "read committed" },
  });
});

test("a scenario without a race passes after every interleaving", async () => {
  const control = { gates: ["statement"] as const };
  const { campaign } = await run(noLostUpdate, { control, reduction: false });
  expect(campaign).toMatchObject({ verdict: "pass", reason: null, scenarios: 1 });
  // Each client has two steps, a start and a statement: 4 choose 2 interleavings.
  expect(campaign.executions).toBe(6);
  expect(campaign.coverage).toContain(
    "All 6 interleavings, without a bound, of 1 scenario were executed.",
  );
});

test("a client that leaves a connection open is an error", async () => {
  const leaving: Pool[] = [];
  const { campaign, error } = await run({
    ...noLostUpdate,
    clients: {
      careless: async ({ url }) => {
        const pool = new Pool({ connectionString: url });
        pool.on("error", () => {});
        leaving.push(pool);
        await pool.query("select 1");
      },
    },
  });
  expect(campaign.verdict).toBe("unknown");
  expect(error).toMatchObject({
    code: "SERVICE_FAILED",
    message: expect.stringMatching(
      /^client "careless" has ended and left 1 of its connections open/,
    ),
  });
});

test("an error of the setup or of an invariant is reported with its name and reason", async () => {
  const setup = "create table counters (id int);\ncreate tabel more (id int);";
  await expect(run({ ...noLostUpdate, setup })).rejects.toThrow(
    'the setup\'s SQL failed: Error: syntax error at or near "tabel", in line 2',
  );
  const invalid = { "no update is lost": "select nope" };
  const { error, campaign } = await run({ ...noLostUpdate, invariants: invalid });
  expect(error?.message).toBe(
    'the invariant "no update is lost" failed: error: column "nope" does not exist',
  );
  expect(campaign).toMatchObject({ verdict: "unknown", coverage: [] });
});

test("a client that never sends a statement is named", async () => {
  const never = () => new Promise(() => {});
  const { error } = await run({ ...noLostUpdate, clients: { never } }, { stepTimeoutMs: 100 });
  expect(error).toMatchObject({
    code: "STEP_TIMEOUT",
    message: expect.stringContaining("client never is in the service, and nothing of it has come"),
  });
});

test("an unhandled error of a client is reported, and does not end the process", async () => {
  const careless = ({ url }: { readonly url: string }) =>
    withClient(url, async (client) => {
      void client.query("select 1 / 0");
      await client.query("select 1");
    });
  const { error } = await run({ ...noLostUpdate, clients: { careless } });
  expect(error).toMatchObject({
    code: "SERVICE_FAILED",
    message: expect.stringMatching(
      /^a client, or a service in this process, has an unhandled error: .*division by zero/,
    ),
  });
});

test("injects faults, and restores the state after the setup before each execution", async () => {
  const { campaign, error } = await run(
    { ...noLostUpdate, invariants: { few: "select value from counter where value > 4" } },
    { strategy: pctOf(FAULTS), runs: 60 },
  );
  expect(error).toBeUndefined();
  expect(campaign.verdict).toBe("pass");
  expect(Object.keys(campaign.faults).sort()).toEqual(
    expect.arrayContaining(["cut-after", "cut-before", "terminate"]),
  );
});

test("changes of the schema by clients do not reach the next execution", async () => {
  const make = ({ url }: { readonly url: string }) =>
    withClient(url, (client) => client.query("create table made (id int)"));
  const { campaign, error } = await run(
    {
      setup: "select 1",
      clients: { make },
      invariants: { "it is made": "select 'no' as made where to_regclass('made') is null" },
    },
    { strategy: pctOf([]), runs: 3 },
  );
  expect(error).toBeUndefined();
  expect(campaign).toMatchObject({ verdict: "pass", responses: { make: { OK: 3 } } });
});

test("an error of a client breaks the contract, unless the scenario expects it", async () => {
  const failing: ScenarioDefinition = {
    ...noLostUpdate,
    invariants: {},
    clients: {
      a: ({ url }) => withClient(url, (client) => client.query("select 1 / 0")),
    },
  };
  const refused = await run(failing);
  expect(refused.campaign.counterexamples[0]?.violations).toMatchObject([
    {
      checker: "contract",
      name: "unexpected-22012",
      message:
        "client a ended with 22012 (division by zero), which the scenario does not expect: " +
        'add errors: ["22012"] if it should',
    },
  ]);
  const expected = await run({ ...failing, errors: ["22012"] });
  expect(expected.campaign).toMatchObject({ verdict: "pass", responses: { a: { "22012": 1 } } });
});

test("the message has what a client throws, whether an Error or not", async () => {
  const messageOf = async (thrown: unknown) => {
    const a = () => Promise.reject(thrown);
    const { campaign } = await run({ ...noLostUpdate, invariants: {}, clients: { a } });
    return campaign.counterexamples[0]?.violations[0]?.message;
  };
  expect(await messageOf(new TypeError("my bug"))).toBe(
    "client a threw TypeError: my bug, which the scenario does not expect: " +
      'add errors: ["TypeError"] if it should',
  );
  expect(await messageOf("a word")).toBe(
    'client a threw a word, which the scenario does not expect: add errors: ["a word"] if it should',
  );
});

test("an invariant function gets the rows and the answers of the clients", async () => {
  const rowCounts: unknown[] = [];
  const { campaign } = await run({
    ...lostUpdate,
    invariants: {
      "answers differ": async ({ query, outcomes }) => {
        rowCounts.push((await query("select value from counter where value > $1", [0])).length);
        const values = Object.values(outcomes).map(
          (outcome) => "value" in outcome && outcome.value,
        );
        assert.equal(new Set(values).size, 2, "two clients got the same number");
      },
    },
  });
  expect(campaign.counterexamples[0]?.violations).toMatchObject([
    { name: "answers differ", message: "two clients got the same number" },
  ]);
  expect(new Set(rowCounts)).toEqual(new Set([1]));
});

test("a race without invariants breaks serial equivalence", async () => {
  const race = { ...lostUpdate, invariants: {}, serialEquivalence: true };
  const { campaign } = await run(race);
  expect(campaign.counterexamples[0]?.violations).toMatchObject([
    { checker: "serial-equivalence", name: "serially-equivalent" },
  ]);
  const noRace = { ...noLostUpdate, invariants: {}, serialEquivalence: true };
  expect((await run(noRace)).campaign).toMatchObject({ verdict: "pass", reason: null });
});

test("serial equivalence ignores generated ids and times", async () => {
  const note = ({ url }: { readonly url: string }) =>
    withClient(url, async (client) => {
      await client.query("select nextval('notes_id_seq')");
      await client.query("insert into notes (at) values (now())");
    });
  const notes: ScenarioDefinition = {
    setup: "create table notes (id serial primary key, at timestamptz not null)",
    clients: { a: note, b: note },
    serialEquivalence: { ids: { "public.notes": { id: "note" } } },
  };
  expect((await run(notes)).campaign).toMatchObject({ verdict: "pass", reason: null });
  const exact = { ...notes, serialEquivalence: true };
  expect((await run(exact)).campaign).toMatchObject({ verdict: "fail" });
});

test("connections that a client opens concurrently have the same order in each execution", async () => {
  const { campaign } = await run(
    {
      setup: "create table seen (id serial, word text)",
      clients: {
        many: async ({ url }) => {
          const words = ["one", "two"];
          const clients = words.map(() => new Client({ connectionString: url }));
          await Promise.all(
            clients.map(async (client, index) => {
              await client.connect();
              await client.query("insert into seen (word) values ($1)", [words[index]]);
            }),
          );
          await Promise.all(clients.map((client) => client.end()));
        },
        other: ({ url }) => withClient(url, (client) => client.query("select word from seen")),
      },
    },
    { runs: 3_000 },
  );
  expect(campaign.verdict).toBe("pass");
  // If the order differed between executions, the search would have diverged.
  expect(campaign.coverage.some((sentence) => sentence.includes("without a bound"))).toBe(true);
});

test("an execution that does not end is ended soon after the time is up", async () => {
  const endless = ({ url }: { readonly url: string }) =>
    withClient(url, async (client) => {
      for (;;) await client.query("insert into visits default values");
    });
  const setup = "create table visits (id serial)";
  const scenario = { ...noLostUpdate, setup, clients: { endless }, invariants: {} };
  const { campaign, error } = await run(scenario, { timeMs: 100 });
  expect(error).toMatchObject({
    code: "STEP_TIMEOUT",
    message: "the time was up, and the execution under way did not end",
  });
  expect(campaign.verdict).toBe("unknown");
});

test("a setup that waits for ever is ended, and names the open connections", async () => {
  const open: Client[] = [];
  const setup = async ({ url }: { readonly url: string }) => {
    const client = new Client({ connectionString: url, application_name: "the-migrator" });
    client.on("error", () => {});
    open.push(client);
    await client.connect();
    await client.query("select 'ready'");
    await new Promise(() => {});
  };
  const unfinished = run({ ...noLostUpdate, setup }, { stepTimeoutMs: 300 });
  await expect(unfinished).rejects.toThrow(
    "nothing to do for 300 ms (raise --step-timeout if that is right); open connections: " +
      "one of the-migrator that is idle, its last statement is: select 'ready'",
  );
  await expect(run({ ...noLostUpdate, setup }, { timeMs: 500 })).rejects.toThrow(
    "the setup did not end: the time was up after 500 ms",
  );
});

test("a setup may use other servers, and their errors are its own", async () => {
  const setup = () => withClient("postgres://nobody@127.0.0.1:1/none", async () => {});
  await expect(run({ ...noLostUpdate, setup })).rejects.toMatchObject({
    code: "SERVICE_FAILED",
    message: expect.stringMatching(/^the setup's function failed: .*ECONNREFUSED 127.0.0.1:1/),
  });
});

test("an invariant function is called when all clients are done, and never before", async () => {
  const outcomes: (readonly string[])[] = [];
  const invariants = {
    "no update is lost": async ({ query, outcomes: answers }: InvariantContext) => {
      outcomes.push(Object.keys(answers).sort());
      return query("select value from counter where value <> 2");
    },
  };
  const { campaign } = await run({ ...lostUpdate, invariants });
  expect(campaign.counterexamples).toHaveLength(1);
  expect(new Set(outcomes.map((names) => names.join()))).toEqual(new Set(["a,b"]));
});

/** Takes a lock by polling, and gives up after that many looks. */
const polling =
  (looks: number) =>
  ({ url }: { readonly url: string }) =>
    withClient(url, async (client) => {
      for (let look = 0; ; look++) {
        if (look === looks) throw new Error("the lock is never free");
        const { rows } = await client.query("select pg_try_advisory_lock(1) as got");
        if (rows[0]?.got) break;
      }
      await client.query("update counter set value = value + 1");
      await client.query("select pg_advisory_unlock(1)");
    });

test.each([
  ["bounded", {}],
  ["with reduction", { strategy: "exhaustive", preemptions: Infinity }],
] as const)("a client that polls does not starve the one that it waits for, in a search %s", async (_, options) => {
  const clients = { a: polling(20), b: polling(20) };
  const { campaign, error } = await run({ ...noLostUpdate, clients }, options);
  expect(error).toBeUndefined();
  expect(campaign).toMatchObject({ verdict: "pass", counterexamples: [] });
});

test("a client that waits for another one in memory is waiting, and the others go on", async () => {
  let chain: Promise<unknown> = Promise.resolve();
  const locked = (context: { readonly url: string }) => {
    const done = chain.then(() =>
      withClient(context.url, async (client) => {
        const { rows } = await client.query<{ value: number }>("select value from counter");
        await client.query("update counter set value = $1", [Number(rows[0]?.value) + 1]);
      }),
    );
    chain = done.catch(() => {});
    return done;
  };
  const { campaign, error } = await run(
    { ...noLostUpdate, clients: { a: locked, b: locked } },
    { stepTimeoutMs: 3_000, runs: 8 },
  );
  expect(error).toBeUndefined();
  expect(campaign.verdict).toBe("pass");
  expect(campaign.uncontrolled.join()).toContain("A client waited outside the database");
});

test("clients that share one pool are told apart, statement by statement", async () => {
  let pool: Pool | undefined;
  const visit = async ({ url }: { readonly url: string }) => {
    pool ??= new Pool({ connectionString: url });
    const { rows } = await pool.query<{ value: number }>("select value from counter");
    await pool.query("update counter set value = $1", [Number(rows[0]?.value) + 1]);
  };
  const { campaign, error } = await run({ ...lostUpdate, clients: { a: visit, b: visit } });
  expect(error).toBeUndefined();
  expect(campaign.counterexamples).toMatchObject([
    { preemptions: 1, violations: [{ name: "no update is lost" }] },
  ]);
});
