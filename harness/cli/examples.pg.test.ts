import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { GateName } from "../core/control.ts";
import type { Campaign } from "../explorer/campaign.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { withProfile } from "../explorer/profiled-service.ts";
import { replay } from "../explorer/replay.ts";
import { type VerifyOptions, verify } from "../explorer/verify.ts";
import { loadScenario } from "../loading/load-service.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { strategies } from "../scheduler/strategies.ts";
import { openExecutor } from "../service/open-executor.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(async () => {
  await server?.stop();
});

const examples = new URL("../../examples/", import.meta.url);

const STATEMENT: readonly GateName[] = ["statement"];
const GATES: readonly GateName[] = ["statement", "routine"];
const ROW: readonly GateName[] = ["statement", "row"];

async function run(name: string, gates: readonly GateName[], options: Partial<VerifyOptions> = {}) {
  const service = await loadScenario(fileURLToPath(new URL(`${name}.ts`, examples)));
  const control = { gates, isolation: "read committed" } as const;
  const { campaign, error } = await verify(server, service, { seed: 1, control, ...options });
  expect(error).toBeUndefined();
  return { service, control, campaign };
}

/** A machine other than CI may lack the languages of an example. */
function lacking(name: string): boolean {
  if (process.env["CI"] !== undefined) return false;
  if (name.startsWith("psql/")) return spawnSync("psql", ["--version"]).status !== 0;
  if (!name.startsWith("python/")) return false;
  return spawnSync("/usr/bin/python3", ["-c", "import psycopg"]).status !== 0;
}

test.for([
  ["lost-update", "every visit counts", STATEMENT, 20],
  ["write-skew", "somebody is on call", STATEMENT, 20],
  ["double-spend", "nobody spends what is not there", STATEMENT, 20],
  ["outbox", "no message is passed over", STATEMENT, 20],
  ["job-queue", "no job is done twice", STATEMENT, 20],
  ["knex/0.95.11", "there is one lock", STATEMENT, 20],
  ["knex/0.95.12", "there is one lock", ROW, 20],
  ["psql/claim", "a seat has one claim", STATEMENT, 20],
  ["python/jobs", "a job is done once", STATEMENT, 2],
  ["python/oversold", "nothing is sold twice", STATEMENT, 20],
] as const)("%s is caught, and replays: %s", async ([name, rule, gates, replays], { skip }) => {
  skip(lacking(name), "the example's language is not installed");
  const { service, control, campaign } = await run(name, gates);
  const [found] = campaign.counterexamples;
  if (found === undefined) throw new Error("the campaign found no violation");
  expect(found.preemptions).toBe(1);
  expect(found.violations[0]).toMatchObject({ checker: "invariant", name: rule });
  const options = { control, stepTimeoutMs: DEFAULTS.stepTimeoutMs, signal: undefined };
  const executor = await openExecutor(server, service, undefined, options);
  try {
    for (let times = 0; times < replays; times++) {
      expect((await replay(executor, service, found)).diverged).toBeUndefined();
    }
  } finally {
    await executor.close();
  }
});

test.each([
  ["write-skew-cured", STATEMENT],
  ["job-queue-skip-locked", STATEMENT],
  ["knex/0.95.12", STATEMENT],
] as const)("%s passes every interleaving with one preemption", async (name, gates) => {
  const strategy = strategies({ preemptions: 1 }).find((one) => one.name === "exhaustive");
  const { campaign } = await run(name, gates, strategy && { strategy });
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
  expect(campaign.coverage).toContainEqual(
    expect.stringMatching(/^All [\d,]+ interleavings with at most 1 preemption of 1 scenario/),
  );
});

/** Enough for all pairs, with at most one preemption. */
const PAIRS = 450;

test(
  "each of the shop's races is a counterexample of its own, without a model, and replays",
  {
    timeout: 600_000,
  },
  async () => {
    const { service, control, campaign } = await run("shop/shop.heddle", GATES, { runs: PAIRS });
    expect(campaign.verdict).toBe("fail");
    const found = campaign.counterexamples.map(({ scenario, violations: [first] }) => [
      scenario.clients
        .flat()
        .map(({ name }) => name)
        .sort()
        .join(" × "),
      first?.name,
    ]);
    expect(found.sort()).toEqual([
      // The stale total shows beside each operation that changes it.
      ["cancel × restock", "serially-equivalent"],
      ["order × restock", "serially-equivalent"],
      ["pay × pay", "serially-equivalent"],
      ["register × register", "serially-equivalent"],
      ["restock × restock", "serially-equivalent"],
      ["transfer × transfer", "no-server-error"],
    ]);
    const limits = { control, stepTimeoutMs: DEFAULTS.stepTimeoutMs, signal: undefined };
    const profiled = await withProfile(server, service, undefined, limits);
    const executor = await openExecutor(server, profiled.service, undefined, limits);
    try {
      for (const counterexample of campaign.counterexamples) {
        for (let times = 0; times < 20; times++) {
          const { diverged } = await replay(executor, profiled.service, counterexample);
          expect(diverged).toBeUndefined();
        }
      }
    } finally {
      await executor.close();
    }
  },
);

test("the shop without its races passes", async () => {
  const { campaign } = await run("shop/shop-fixed.heddle", GATES, { runs: PAIRS });
  expect(campaign).toMatchObject({ verdict: "pass", reason: null });
  expect(campaign.coverage).toContainEqual(
    expect.stringMatching(/^All \d+ interleavings with at most 1 preemption of \d+ pairs/),
  );
});

/** All pairs of operations, with at most one preemption. */
const ALL_PAIRS = { pairs: true, preemptions: 1, strategy: "exhaustive" } as const;

/** The operations of each counterexample, and its rule. */
const racesIn = ({ counterexamples }: Campaign) =>
  counterexamples
    .map(({ scenario: { clients }, violations: [first] }) => [
      clients
        .flat()
        .map((one) => one.name)
        .sort()
        .join(" × "),
      first?.name,
    ])
    .sort();

test(
  "the shop's races are found with the operations of its OpenAPI document alone",
  { tags: ["nightly"] },
  async () => {
    const { campaign } = await run("shop/shop-openapi.heddle", GATES, ALL_PAIRS);
    expect(racesIn(campaign)).toEqual(
      expect.arrayContaining([
        ["pay × pay", "serially-equivalent"],
        ["register × register", "serially-equivalent"],
        ["restock × restock", "serially-equivalent"],
        ["transfer × transfer", "no-server-error"],
      ]),
    );
  },
);

test(
  "the shop's races are found with a recorded session alone",
  { tags: ["nightly"], timeout: 600_000 },
  async () => {
    const { campaign } = await run("shop/shop-har.heddle", GATES, { runs: 150 });
    expect(racesIn(campaign)).toEqual(
      expect.arrayContaining([
        ["POST /customers × POST /customers", "serially-equivalent"],
        ["POST /items/:id/restock × POST /items/:id/restock", "serially-equivalent"],
      ]),
    );
  },
);

test(
  "the races of functions are found without an operation by hand, and none without them",
  { tags: ["nightly"] },
  async () => {
    const { campaign } = await run("functions/functions.heddle", GATES, ALL_PAIRS);
    expect(racesIn(campaign)).toEqual([
      ["enroll × enroll", "serially-equivalent"],
      ["gift × gift", "unexpected-40P01"],
      ["visit × visit", "serially-equivalent"],
    ]);
    const fixed = await run("functions/functions-fixed.heddle", GATES, ALL_PAIRS);
    expect(fixed.campaign).toMatchObject({ verdict: "pass", reason: null });
  },
);
