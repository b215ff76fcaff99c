import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Control } from "../core/control.ts";
import { parseSchedule } from "../core/schedule.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
import { Executor } from "./executor.ts";
import {
  add,
  counters,
  LIMITS,
  STATEMENT_SERVICE,
  type Statements,
  scenario,
  statements,
} from "./statements.fixture.ts";
import type { System, SystemContext } from "./system.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

test.each([
  ["in all executions", "each-commit", undefined],
  ["in one", undefined, "each-commit"],
] as const)("%s, state is observed after each commit of a transaction that wrote, and at no other step", async (_, all, one) => {
  const control = { ...LIMITS.control, ...(all && { observe: all }) };
  const queries = [{ name: "large", sql: "select id from counter where value > 1; " }];
  const executor = await Executor.open(server, STATEMENT_SERVICE, { ...LIMITS, control, queries });
  const scene = scenario(
    [statements("begin", add(1), "select 1", "commit", "select 2"), statements(add(1))],
    [statements("begin", add(2), "rollback"), statements("begin", "select 3", "commit")],
  );
  // Steps 5 and 8 commit writes. The rollback in step 12 also ends a transaction that wrote.
  const schedule = parseSchedule("0*6 0*2 1*8");
  if (schedule === undefined) throw new Error("this is no schedule");
  const replay = new ReplayScheduler(schedule);
  const execution = await executor.execute(scene, replay, one);
  expect(replay.diverged()).toBeUndefined();
  expect(
    execution.commits?.map(({ step, ...commit }) => [step, ...Object.values([counters(commit)])]),
  ).toEqual([
    [5, [1, 0]],
    [8, [2, 0]],
    [12, [2, 0]],
  ]);
  expect(execution.commits?.map(({ snapshot }) => snapshot["large"])).toEqual([
    [],
    [{ id: 1 }],
    [{ id: 1 }],
  ]);
  expect(execution.snapshot["large"]).toEqual([{ id: 1 }]);
  await executor.close();
});

/** The steps of the schedule that committed, each with the values of the counters after it. */
async function committed(
  setup: typeof STATEMENT_SERVICE,
  { gates, entries }: { gates: Control["gates"]; entries: string },
  ...clients: Statements[]
) {
  const control = { ...LIMITS.control, gates };
  const executor = await Executor.open(server, setup, { ...LIMITS, control });
  const schedule = parseSchedule(entries);
  if (schedule === undefined) throw new Error("this is no schedule");
  const replay = new ReplayScheduler(schedule);
  const scene = scenario(...clients.map((operation) => [operation]));
  const { commits } = await executor.execute(scene, replay, "each-commit");
  expect(replay.diverged()).toBeUndefined();
  await executor.close();
  return commits?.map(({ step, ...commit }) => [step, counters(commit)]);
}

test("a transaction that ends after one that wrote later is noticed", async () => {
  const first = statements("begin", add(1), "commit", add(1));
  const entries = "0*3 1*2 0*2";
  const commits = await committed(
    STATEMENT_SERVICE,
    { gates: ["statement"], entries },
    first,
    statements(add(2)),
  );
  expect(commits).toEqual([
    [5, [0, 1]],
    [6, [1, 1]],
    [7, [2, 1]],
  ]);
});

test("a commit in the middle of a procedure is noticed", async () => {
  const migrate = async (url: string) => {
    await STATEMENT_SERVICE.migrate(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(
      `create procedure twice() language plpgsql as $$ begin ${add(1)}; commit; ${add(1)}; end $$`,
    );
    await client.end();
  };
  const setup = { ...STATEMENT_SERVICE, migrate };
  const gates = ["statement", "routine"] as const;
  expect(await committed(setup, { gates, entries: "0*5" }, statements("call twice()"))).toEqual([
    [4, [1, 0]],
    [5, [2, 0]],
  ]);
});

test("a system that cannot be observed while an operation is under way does not hang the execution", async () => {
  let performing = false;
  const never = {
    ...STATEMENT_SERVICE,
    start: async (context: SystemContext): Promise<System<null, Statements>> => {
      const system = await STATEMENT_SERVICE.start(context);
      return {
        ...system,
        perform: async (...args) => {
          performing = true;
          return system.perform(...args).finally(() => {
            performing = false;
          });
        },
        observe: () => (performing ? new Promise(() => {}) : system.observe()),
      };
    },
  };
  const executor = await Executor.open(server, never, { ...LIMITS, stepTimeoutMs: 300 });
  const scene = scenario([statements(add(1), "select 1")]);
  await expect(executor.execute(scene, new RandomWalk(1), "each-commit")).rejects.toMatchObject({
    code: "STEP_TIMEOUT",
    message: "the service's observe(), while operations were under way, took more than 300 ms",
  });
  // The next execution is not affected.
  const execution = await executor.execute(scene, new RandomWalk(1));
  expect(counters(execution)).toEqual([1, 0]);
  await executor.close();
});

test("a query that fails is named before anything is executed", async () => {
  const queries = [{ name: "wrong", sql: "select from nowhere" }];
  await expect(
    Executor.open(server, STATEMENT_SERVICE, { ...LIMITS, queries }),
  ).rejects.toMatchObject({
    code: "USAGE",
    message: expect.stringContaining("the query wrong cannot be asked"),
  });
});
