import { afterAll, beforeAll, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import { DEFAULTS } from "../defaults.ts";
import type { Mutant } from "../explorer/subject.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { withClient } from "./mutated.ts";
import { runPlanted } from "./planted-run.ts";
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

const routine = { depth: "routine", smallest: { commands: 2, preemptions: 1 } } as const;

const bugs: readonly (Mutant & { readonly sql: string })[] = [
  { name: "neither", story: "", judge: "invariant", ...routine, sql: NO_INDEX + NO_LOCK },
  { name: "wrong-judge", story: "", judge: "contract", ...routine, sql: NO_INDEX + NO_LOCK },
  {
    name: "too-shallow",
    story: "",
    judge: "invariant",
    ...routine,
    depth: "statement",
    sql: NO_INDEX + NO_LOCK,
  },
  { name: "no-index", story: "", equivalent: "The lock is enough.", sql: NO_INDEX },
  { name: "not-so", story: "", equivalent: "Nobody comes twice.", sql: NO_INDEX + NO_LOCK },
];

const subject = tickets({
  mutants: bugs,
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
  allJudges: false,
  atOnce: 2,
  replays: 3,
  shrinkTimeMs: DEFAULTS.shrinkTimeMs,
  stepTimeoutMs: DEFAULTS.stepTimeoutMs,
  signal: undefined,
  mortalServer: () => startServer(testPostgres, { faults: true }),
  onResult: undefined,
};

test("a bug is caught by the judge that must, or it has survived", async () => {
  const report = await runPlanted(server, subject, { ...options, only: undefined });
  const told = report.results.map(
    ({ name, outcome, judges }) => `${name}: ${outcome} ${judges.map(({ judge }) => judge)}`,
  );
  expect(told).toEqual([
    "neither: caught invariant",
    "wrong-judge: survived invariant",
    "too-shallow: survived ",
    "no-index: untold ",
    "not-so: false alarm invariant",
  ]);
  const [caught] = report.results;
  expect(caught?.counterexample).toMatchObject({ mutant: "neither", preemptions: 1 });
  expect(caught?.replays).toEqual({ identical: 3, of: 3 });
  expect(report.unmutated).toMatchObject([
    { gates: ["statement", "routine"], verdict: "pass" },
    { gates: ["statement"], verdict: "pass" },
  ]);
  expect(report.verdict).toBe("fail");
});

test("what is caught or equivalent is a pass; to the end of the budget, if all judges are asked", async () => {
  const only = ["neither", "no-index"];
  const report = await runPlanted(server, subject, { ...options, only, allJudges: true });
  expect(report.verdict).toBe("pass");
  expect(report.results.map(({ executions }) => executions)).toEqual([40, 40]);
});

test("an alarm about the subject as it is, is a failure", async () => {
  const broken = tickets({ mutants: [], migrate: (url) => subject.migrate(url, "neither") });
  const mutants = bugs.slice(0, 1);
  const report = await runPlanted(server, { ...broken, mutants }, { ...options, only: undefined });
  expect(report.unmutated).toMatchObject([{ verdict: "fail", judges: [{ judge: "invariant" }] }]);
  expect(report.verdict).toBe("fail");
});

test("nothing is made of an interruption, nor of a name that there is not", async () => {
  const signal = AbortSignal.abort();
  const report = await runPlanted(server, subject, { ...options, only: undefined, signal });
  expect(report).toMatchObject({ verdict: "unknown", results: [] });
  await expect(runPlanted(server, subject, { ...options, only: ["nobody"] })).rejects.toThrow(
    HarnessError,
  );
});
