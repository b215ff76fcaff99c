import { afterAll, beforeAll, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { DEFAULTS } from "../explorer/defaults.ts";
import { withClient } from "../postgres/connection.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import type { SeededBug } from "../service/service.ts";
import { runSeededBugs } from "./seeded-run.ts";
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
  { name: "neither", story: "", checker: "invariant", ...routine, sql: NO_INDEX + NO_LOCK },
  { name: "wrong-checker", story: "", checker: "contract", ...routine, sql: NO_INDEX + NO_LOCK },
  {
    name: "too-shallow",
    story: "",
    checker: "invariant",
    ...routine,
    depth: "statement",
    sql: NO_INDEX + NO_LOCK,
  },
  { name: "no-index", story: "", equivalent: "The lock is enough.", sql: NO_INDEX },
  { name: "not-so", story: "", equivalent: "Nobody comes twice.", sql: NO_INDEX + NO_LOCK },
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
  bounds: DEFAULTS.bounds,
  allCheckers: false,
  atOnce: 2,
  replays: 3,
  shrinkTimeMs: DEFAULTS.shrinkTimeMs,
  stepTimeoutMs: DEFAULTS.stepTimeoutMs,
  signal: undefined,
  killableServer: () => startServer(testPostgres, { faults: true }),
  onResult: undefined,
};

test("a bug is caught by the checker that must, or it has survived", async () => {
  const report = await runSeededBugs(server, service, { ...options, only: undefined });
  const told = report.results.map(
    ({ name, outcome, checkers }) =>
      `${name}: ${outcome} ${checkers.map(({ checker }) => checker)}`,
  );
  expect(told).toEqual([
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
  ]);
  expect(report.verdict).toBe("fail");
});

test("what is caught or equivalent is a pass; to the end of the budget, if all checkers are asked", async () => {
  const only = ["neither", "no-index"];
  const report = await runSeededBugs(server, service, { ...options, only, allCheckers: true });
  expect(report.verdict).toBe("pass");
  expect(report.results.map(({ executions }) => executions)).toEqual([40, 40]);
});

test("an alarm about the service as it is, is a failure", async () => {
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

test("nothing is made of an interruption, nor of a name that there is not", async () => {
  const signal = AbortSignal.abort();
  const report = await runSeededBugs(server, service, { ...options, only: undefined, signal });
  expect(report).toMatchObject({ verdict: "unknown", results: [] });
  await expect(runSeededBugs(server, service, { ...options, only: ["nobody"] })).rejects.toThrow(
    HarnessError,
  );
});
