import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import type { Scenario } from "../core/scenario.ts";
import { parseSchedule } from "../core/schedule.ts";
import { type Database, type Server, startServer } from "../postgres/provider.ts";
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

/** A server on which the settings that make it report waits may not be changed. */
function polled(server: Server): Server {
  const lease = async (): Promise<Database> => {
    const database = await server.lease();
    const client = new Client({ connectionString: database.url });
    await client.connect();
    for (const setting of ["deadlock_timeout", "log_lock_waits", "client_min_messages"]) {
      await client.query(`alter database ${database.name} reset ${setting}`);
    }
    await client.end();
    return { ...database, lockWaits: "polled" };
  };
  return { ...server, lease };
}

let server: Server;
const executors = new Map<Database["lockWaits"], Executor<null, Statements>>();

beforeAll(async () => {
  server = await startServer(testPostgres);
  executors.set("pushed", await Executor.open(server, STATEMENT_SERVICE, LIMITS));
  executors.set("polled", await Executor.open(polled(server), STATEMENT_SERVICE, LIMITS));
});

afterAll(async () => {
  for (const executor of executors.values()) await executor.close();
  await server?.stop();
});

type Run = Execution<null, Statements>;

async function execute(
  lockWaits: Database["lockWaits"],
  scene: Scenario<null, Statements>,
  text: string,
): Promise<Run> {
  const executor = executors.get(lockWaits);
  const schedule = parseSchedule(text);
  if (executor === undefined || schedule === undefined) throw new Error(`cannot run ${text}`);
  expect(executor.lockWaits).toBe(lockWaits);
  const replay = new ReplayScheduler(schedule);
  const execution = await executor.execute(scene, replay);
  expect(replay.diverged()).toBeUndefined();
  return execution;
}

/** The waits in order. */
const waits = ({ trace }: Run) =>
  trace.flatMap((event) =>
    event.type === "wait" ? `${event.task} for ${event.for.join(" and ")}` : [],
  );

const LOCK = "select pg_advisory_lock(7)";
const UNLOCK = "select pg_advisory_unlock(7)";
const TRANSACTION_LOCK = "select pg_advisory_xact_lock(8)";
const hold = (...sql: string[]) => [statements("begin", ...sql, "commit")];

/** Scenarios with a schedule, the waits that it leads to, and the counters at the end. */
const CASES: {
  readonly [what: string]: {
    readonly scene: Scenario<null, Statements>;
    readonly schedule: string;
    readonly waits: readonly string[];
    readonly counters: readonly number[];
  };
} = {
  "no wait": {
    scene: scenario(hold(add(1)), hold(add(2))),
    schedule: "0*3 1*4 0",
    waits: [],
    counters: [1, 1],
  },
  "a wait for a row": {
    scene: scenario(hold(add(1)), hold(add(1))),
    schedule: "0*3 1*3 0 1*2",
    waits: ["1 for 0"],
    counters: [2, 0],
  },
  "a chain of three that wait": {
    scene: scenario(hold(add(1)), hold(add(2), add(1)), hold(TRANSACTION_LOCK, add(2)), [
      statements(TRANSACTION_LOCK),
    ]),
    schedule: "0*3 1*4 2*4 3*2 0 1*2 2*2 3",
    waits: ["1 for 0", "2 for 1", "3 for 2"],
    counters: [2, 2],
  },
  "an advisory lock of the application": {
    scene: scenario([statements(LOCK, add(1), UNLOCK)], [statements(LOCK, add(1), UNLOCK)]),
    schedule: "0*2 1*2 0*2 1*3",
    waits: ["1 for 0"],
    counters: [2, 0],
  },
  "a lock that a rollback to a savepoint releases": {
    scene: scenario(
      hold("savepoint a", add(1), "rollback to a", add(2)),
      hold("savepoint b", add(1), "release b"),
    ),
    schedule: "0*4 1*4 0 1*3 0*2",
    waits: ["1 for 0"],
    counters: [1, 1],
  },
  "a table lock that two wait for": {
    scene: scenario(hold("lock table counter"), [statements(add(1))], [statements(add(2))]),
    schedule: "0*3 1*2 2*2 0 1 2",
    waits: ["1 for 0", "2 for 0"],
    counters: [1, 1],
  },
};

describe.each(["pushed", "polled"] as const)("lock waits that are %s", (lockWaits) => {
  test.each(Object.entries(CASES))("%s", async (_, { scene, schedule, ...expected }) => {
    const execution = await execute(lockWaits, scene, schedule);
    expect(execution.completion).toEqual({ type: "complete" });
    expect({ waits: waits(execution), counters: counters(execution) }).toEqual(expected);
  });

  test("a slow statement is not mistaken for one that waits", async () => {
    const slow = [statements("select pg_sleep(0.3)", add(1))];
    const execution = await execute(lockWaits, scenario(slow, slow), "0*2 1*2 0 1");
    expect(waits(execution)).toEqual([]);
    expect(counters(execution)).toEqual([2, 0]);
  });

  test("quiescence is not reached while a statement waits for a slow one", async () => {
    // When the first commits, the second gets its lock and sleeps; the third waits for the second.
    const sleepy = hold(add(2), `${add(1)} returning pg_sleep(0.3)`);
    const scene = scenario(hold(add(1)), sleepy, hold(add(2)));
    const execution = await execute(lockWaits, scene, "0*3 1*4 2*3 0 1*2 2*2");
    expect(waits(execution)).toEqual(["1 for 0", "2 for 1"]);
    expect(counters(execution)).toEqual([2, 2]);
  });

  test("a deadlock is left to the server, which chooses a victim", async () => {
    const cross = scenario(hold(add(1), add(2)), hold(add(2), add(1)));
    const executor = executors.get(lockWaits);
    const search = new Exhaustive(1);
    const victims: unknown[] = [];
    while (victims.length === 0 && search.begin()) {
      const execution = await executor?.execute(cross, search);
      if (execution === undefined) break;
      for (const event of execution.trace) {
        if (event.type === "result" && event.result.error)
          victims.push(event.result.error.sqlstate);
      }
      if (victims.length > 0) expect(counters(execution)).toEqual([1, 1]);
    }
    expect(victims).toEqual(["40P01"]);
  });
});

test("pushed and polled waits give equal executions", async () => {
  // Only a backend that reports its wait is stopped, so that the harness decides the order.
  const { "a table lock that two wait for": _, ...oneAtATime } = CASES;
  for (const { scene, schedule } of Object.values(oneAtATime)) {
    const pushed = await execute("pushed", scene, schedule);
    expect(await execute("polled", scene, schedule)).toEqual(pushed);
  }
});
