import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { historyOf, preemptionCount } from "../core/execution.ts";
import type { Scenario } from "../core/scenario.ts";
import { formatSchedule } from "../core/schedule.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
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

describe("an executor", () => {
  let server: Server;
  let executor: Executor<null, Statements>;

  beforeAll(async () => {
    server = await startServer(testPostgres);
    executor = await Executor.open(server, STATEMENT_SERVICE, LIMITS);
  });

  afterAll(async () => {
    await executor?.close();
    await server?.stop();
  });

  const explore = async (scene: Scenario<null, Statements>, bound: number) => {
    const search = new Exhaustive(bound);
    const seen: Awaited<ReturnType<typeof executor.execute>>[] = [];
    while (search.begin()) seen.push(await executor.execute(scene, search));
    expect(search.diverged).toBeUndefined();
    return seen;
  };

  test("tries each interleaving of two clients once", async () => {
    const two = [statements("select 1", "select 2")];
    const seen = await explore(scenario(two, two), 10);
    const schedules = seen.map((execution) => formatSchedule(execution.schedule));
    // Each client has three steps (its start and two statements): 6 choose 3.
    expect(new Set(schedules).size).toBe(20);
    expect(schedules).toHaveLength(20);
  });

  test("finds the lost update between a read and a write, and not in serial orders", async () => {
    const increment = [
      statements(
        "select value from counter where id = 1",
        "update counter set value = 1 where id = 1",
      ),
    ];
    const serial = await explore(scenario(increment, increment), 0);
    expect(serial).toHaveLength(2);
    const both = await explore(scenario(increment, increment), 1);
    const lost = both.filter((execution) =>
      historyOf(execution.trace).every(
        (event) => event.type === "invoke" || JSON.stringify(event.response.body) === '["0"]',
      ),
    );
    expect(lost.length).toBeGreaterThan(0);
    expect(lost.every((execution) => preemptionCount(execution.trace) === 1)).toBe(true);
  });

  test("records the waits for locks, and never chooses a client that waits", async () => {
    const both = [statements("begin", add(1), "commit")];
    const seen = await explore(scenario(both, both), 2);
    const waiting = seen.filter((execution) => execution.trace.some((e) => e.type === "wait"));
    expect(waiting.length).toBeGreaterThan(0);
    for (const execution of seen) expect(counters(execution)).toEqual([2, 0]);
  });

  test("leaves a deadlock to the server, whose victim is the session that closes the cycle", async () => {
    const cross = (first: number, second: number) => [
      statements("begin", add(first), add(second), "commit"),
    ];
    const seen = await explore(scenario(cross(1, 2), cross(2, 1)), 2);
    const deadlocks = seen.filter((execution) =>
      execution.trace.some((e) => e.type === "result" && e.result.error?.sqlstate === "40P01"),
    );
    expect(deadlocks.length).toBeGreaterThan(0);
    const again = deadlocks[0];
    for (let i = 0; i < 20 && again !== undefined; i++) {
      const replay = new ReplayScheduler(again.schedule);
      const execution = await executor.execute(again.scenario, replay);
      expect(replay.diverged()).toBeUndefined();
      expect(execution.trace).toEqual(again.trace);
    }
  });

  test("reports a transaction that an operation left open, and can execute afterwards", async () => {
    const open = ["begin", "update counter set value = 5 where id = 1"];
    const [alone] = await explore(scenario([statements(...open)]), 0);
    expect(alone?.openTransactions).toBe(1);
    expect(alone && counters(alone)).toEqual([0, 0]);
    const leak: Statements = { name: "leak", sql: open };
    const [blocked] = await explore(scenario([leak], [leak]), 0);
    expect(blocked?.completion).toEqual({ type: "stuck", waits: "1 for 0" });
    expect(blocked && counters(blocked)).toEqual([0, 0]);
    const [after] = await explore(scenario([statements("update counter set value = 7")]), 0);
    expect(after && counters(after)).toEqual([7, 7]);
  });
});
