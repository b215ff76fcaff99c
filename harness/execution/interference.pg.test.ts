import { readdir } from "node:fs/promises";
import { Client } from "pg";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { HarnessError } from "../core/error.ts";
import type { Choice } from "../core/schedule.ts";
import { type Database, type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { eventually } from "../proxy/proxied-server.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import type { Scheduler } from "../scheduler/scheduler.ts";
import { Executor } from "./executor.ts";
import type { ExecutorOptions } from "./executor-options.ts";
import {
  add,
  LIMITS,
  STATEMENT_SERVICE,
  type Statements,
  scenario,
  statements,
} from "./statements.fixture.ts";
import type { SystemFactory } from "./system.ts";

let server: Server;
let database: Database;
const opened: Executor<null, Statements>[] = [];

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterEach(async () => {
  for (const executor of opened.splice(0)) await executor.close();
});

afterAll(async () => {
  await server?.stop();
});

async function open(
  options: Partial<ExecutorOptions> = {},
  setup: SystemFactory<null, Statements> = STATEMENT_SERVICE,
): Promise<Executor<null, Statements>> {
  const lease = async () => {
    database = await server.lease();
    return database;
  };
  const limits = { ...LIMITS, ...options };
  const executor = await Executor.open({ ...server, lease }, setup, limits);
  opened.push(executor);
  return executor;
}

/** Chooses the first task, and interferes at that step. */
function interfering(step: number, interfere: () => Promise<unknown> | undefined): Scheduler {
  let at = 0;
  return {
    begin: () => true,
    choose: ([first]: readonly Choice[]) => {
      if (at++ === step) interfere()?.catch(() => {});
      if (first === undefined) throw new Error("no task can move");
      return first;
    },
  };
}

async function fault(execution: Promise<unknown>): Promise<HarnessError> {
  const error = await execution.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof HarnessError)) throw new Error(`this is no harness error: ${error}`);
  return error;
}

const ONE = scenario([statements("select 1", add(1), "select 2")]);

/** A foreign session, in another database of the server. */
async function outside<T>(work: (client: Client) => Promise<T>): Promise<T> {
  const url = new URL(database.url);
  url.pathname = "/postgres";
  const client = new Client({ connectionString: url.href });
  await client.connect();
  try {
    return await work(client);
  } finally {
    await client.end();
  }
}

describe("an error of the harness has a code and says what to do", () => {
  test("a step that takes too long names its statement", async () => {
    const executor = await open({ stepTimeoutMs: 200 });
    const slow = scenario([statements("select pg_sleep(600)")]);
    const error = await fault(executor.execute(slow, new Exhaustive(0)));
    expect(error.code).toBe("STEP_TIMEOUT");
    expect(error.message).toContain("within 200 ms");
    expect(error.message).toContain("task 0 is in the database with: select pg_sleep(600)");
    expect(error.message).toContain("--step-timeout");
  });

  test("a service that waits outside the database says for what", async () => {
    const executor = await open(
      { stepTimeoutMs: 200 },
      {
        ...STATEMENT_SERVICE,
        start: async (context) => ({
          ...(await STATEMENT_SERVICE.start(context)),
          perform: () => new Promise(() => {}),
          waitsFor: () => "connection pool: 1 waiting",
        }),
      },
    );
    const error = await fault(executor.execute(ONE, new Exhaustive(0)));
    expect(error.code).toBe("STEP_TIMEOUT");
    expect(error.message).toContain("client 0 is in the service, which waits for: connection pool");
  });

  test("an abort ends the execution that is under way", async () => {
    const controller = new AbortController();
    const executor = await open({ signal: controller.signal });
    const slow = scenario([statements("select pg_sleep(600)")]);
    const abort = interfering(1, async () => controller.abort());
    expect((await fault(executor.execute(slow, abort))).code).toBe("INTERRUPTED");
  });

  test("an abort before the execution moves no task", async () => {
    const executor = await open({ signal: AbortSignal.abort() });
    const never = interfering(0, () => expect.unreachable("a task was moved"));
    expect((await fault(executor.execute(ONE, never))).code).toBe("INTERRUPTED");
  });

  test("the end of a session of the service by another session is reported", async () => {
    const executor = await open();
    const kill = interfering(1, () =>
      outside(async (client) => {
        const asleep =
          "select pg_terminate_backend(pid) from pg_stat_activity where wait_event = 'PgSleep'";
        await eventually(async () => (await client.query(asleep)).rowCount !== 0);
      }),
    );
    const error = await fault(
      executor.execute(scenario([statements("select pg_sleep(600)")]), kill),
    );
    expect(error.code).toBe("CONNECTION_LOST");
    expect(error.message).toContain("terminating connection due to administrator command");
  });

  test.each([
    ["all sessions", "true"],
    ["Heddle's own session", "application_name = 'heddle'"],
  ])("the end of %s by another session is reported", async (_, which) => {
    const kill = `select pg_terminate_backend(pid) from pg_stat_activity
      where datname = $1 and ${which}`;
    const executor = await open(
      {},
      {
        ...STATEMENT_SERVICE,
        start: async (context) => {
          const system = await STATEMENT_SERVICE.start(context);
          const perform = async (operation: Statements) => {
            await outside((client) => client.query(kill, [database.name]));
            return system.perform(operation, 0);
          };
          return { ...system, perform };
        },
      },
    );
    const waiting = scenario([statements("select pg_sleep(0.2)")]);
    const error = await fault(executor.execute(waiting, new Exhaustive(0)));
    expect(error.code).toBe("CONNECTION_LOST");
  });

  test("an error that perform() throws is attributed to the service", async () => {
    const executor = await open();
    const wrong = scenario([{ name: "throws", sql: ["select 1"] }]);
    const error = await fault(executor.execute(wrong, new Exhaustive(0)));
    expect(error.code).toBe("SERVICE_FAILED");
    expect(error.message).toContain(`perform() failed`);
    expect(error.message).toContain("the service's own mistake");
  });

  test.each([
    "migrate",
    "start",
  ] as const)("a %s() that fails is named, and leaves nothing behind", async (part) => {
    const failing = {
      ...STATEMENT_SERVICE,
      [part]: () => Promise.reject(new Error("no such file")),
    };
    const error = await fault(open({}, failing));
    expect(error.code).toBe("SERVICE_FAILED");
    expect(error.message).toBe(`the service's ${part}() failed: Error: no such file`);
    const left = "select from pg_database where datname = $1";
    const { rowCount } = await outside((client) => client.query(left, [database.name]));
    expect(rowCount).toBe(0);
  });

  test("an error while cleaning up does not hide the first error", async () => {
    const unlucky: Server = {
      ...server,
      lease: async () => ({
        ...(await server.lease()),
        drop: () => Promise.reject(new Error("the server is gone")),
      }),
    };
    const broken = { ...STATEMENT_SERVICE, start: () => Promise.reject(new Error("no such file")) };
    const limits = LIMITS;
    const error = await fault(Executor.open(unlucky, broken, limits));
    expect(error.message).toContain("no such file");
    const folders = await readdir(server.folder);
    const executor = await Executor.open(unlucky, STATEMENT_SERVICE, limits);
    await executor.close();
    expect(await readdir(server.folder)).toEqual(folders);
  });
});
