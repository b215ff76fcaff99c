import { afterAll, beforeAll, expect, test } from "vitest";
import { GATE_NAMES } from "../core/control.ts";
import { HarnessError } from "../core/error.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { verify } from "../explorer/verify.ts";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { SeededBug } from "../service/service.ts";
import { runSeededBugs } from "./seeded-bugs.ts";
import { tickets } from "./tickets.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server.stop());

const NO_INDEX = "drop index tickets_once;";
const NO_LOCK = `
  do $$ begin
    execute replace(pg_get_functiondef('take'::regproc),
                    'perform from seats where id = p_seat for update', 'perform from seats');
  end $$;`;

const routine = { depth: "routine", smallest: { operations: 2, preemptions: 1 } } as const;

const bugs: readonly (SeededBug & { readonly sql: string })[] = [
  { name: "neither", origin: "", checker: "invariant", ...routine, sql: NO_INDEX + NO_LOCK },
  { name: "wrong-checker", origin: "", checker: "contract", ...routine, sql: NO_INDEX + NO_LOCK },
  {
    name: "too-shallow",
    origin: "",
    checker: "invariant",
    ...routine,
    depth: "statement",
    sql: NO_INDEX + NO_LOCK,
  },
  { name: "no-index", origin: "", equivalent: "The lock is enough.", sql: NO_INDEX },
  { name: "not-so", origin: "", equivalent: "Nobody comes twice.", sql: NO_INDEX + NO_LOCK },
];

const service = tickets({
  seededBugs: bugs,
  migrate: async (url, mutant) => {
    await tickets().migrate(url, undefined);
    const sql = bugs.find(({ name }) => name === mutant)?.sql;
    if (sql !== undefined) await withClient(url, (client) => client.query(sql));
  },
});

const options = {
  seed: 1,
  runs: 40,
  timeMs: undefined,
  allCheckers: false,
  atOnce: 2,
  replays: 3,
  shrinkTimeMs: DEFAULTS.shrinkTimeMs,
  stepTimeoutMs: DEFAULTS.stepTimeoutMs,
  signal: undefined,
  killableServer: () => startServer(testPostgres, { faults: true }),
  onResult: undefined,
};

test("a bug that the expected checker does not find has survived", async () => {
  const report = await runSeededBugs(server, service, { ...options, only: undefined });
  const outcomes = report.results.map(
    ({ name, outcome, checkers }) =>
      `${name}: ${outcome} ${checkers.map(({ checker }) => checker)}`,
  );
  expect(outcomes).toEqual([
    "neither: caught invariant",
    "wrong-checker: survived invariant",
    "too-shallow: survived ",
    "no-index: equivalent ",
    "not-so: false alarm invariant",
  ]);
  const [caught] = report.results;
  expect(caught?.counterexample).toMatchObject({ mutant: "neither", preemptions: 1 });
  expect(caught?.replays).toEqual({ identical: 3, of: 3 });
  expect(report.baseline).toMatchObject([
    { gates: ["statement", "routine"], verdict: "pass" },
    { gates: ["statement"], verdict: "pass" },
    // Equivalent changes must not show at any gate.
    { gates: GATE_NAMES, verdict: "pass" },
  ]);
  expect(report.verdict).toBe("fail");
});

test("the run passes when bugs are caught and equivalent changes are not", async () => {
  const only = ["neither", "no-index"];
  const report = await runSeededBugs(server, service, { ...options, only });
  expect(report.verdict).toBe("pass");
  const [caught, equivalent] = report.results;
  expect(caught?.executions).toBe(caught?.checkers[0]?.executions);
  expect(caught?.executions).toBeLessThan(40);
  expect(equivalent?.executions).toBe(40);
});

test("a bug is caught if and only if verify catches it, after as many executions", async () => {
  const report = await runSeededBugs(server, service, { ...options, only: ["neither"] });
  const control = { gates: ["statement", "routine"] } as const;
  const given = { seed: 1, runs: 40, mutant: "neither", control };
  const { campaign } = await verify(server, service, given);
  expect(campaign.verdict).toBe("fail");
  expect(report.results[0]?.executions).toBe(campaign.executions);
  expect(report.results[0]?.counterexample?.schedule).toEqual(
    campaign.counterexamples[0]?.schedule,
  );
});

test("with all checkers, those that did not find the bug get a campaign each", async () => {
  const alone = await runSeededBugs(server, service, { ...options, only: ["neither"] });
  const only = ["neither", "no-index"];
  const report = await runSeededBugs(server, service, { ...options, only, allCheckers: true });
  expect(report.verdict).toBe("pass");
  // The contract and leaks find nothing; this service has no model and no ids.
  const first = alone.results[0]?.executions ?? 0;
  expect(report.results.map(({ executions }) => executions)).toEqual([first + 80, 40]);
  expect(report.results[0]?.checkers).toMatchObject([{ checker: "invariant", executions: first }]);
});

test("a violation of the service without a bug fails the run", async () => {
  const broken = tickets({ seededBugs: [], migrate: (url) => service.migrate(url, "neither") });
  const mutants = bugs.slice(0, 1);
  const report = await runSeededBugs(
    server,
    { ...broken, seededBugs: mutants },
    { ...options, only: undefined },
  );
  expect(report.baseline).toMatchObject([
    { verdict: "fail", checkers: [{ checker: "invariant" }] },
  ]);
  expect(report.verdict).toBe("fail");
});

test("an interrupted run is unknown, and an unknown name is refused", async () => {
  const signal = AbortSignal.abort();
  const report = await runSeededBugs(server, service, { ...options, only: undefined, signal });
  expect(report).toMatchObject({ verdict: "unknown", results: [] });
  await expect(runSeededBugs(server, service, { ...options, only: ["nobody"] })).rejects.toThrow(
    HarnessError,
  );
});
