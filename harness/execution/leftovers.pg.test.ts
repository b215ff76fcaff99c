import { setTimeout as delay } from "node:timers/promises";
import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Executor } from "./executor.ts";
import {
  add,
  counters,
  LIMITS,
  type Statements,
  scenario,
  setupOf,
  statements,
} from "./statements.fixture.ts";
import type { SystemContext, SystemFactory } from "./system.ts";

let server: Server;
/** With one connection for all clients. */
let narrow: Executor<null, Statements>;
/** With enough connections. */
let wide: Executor<null, Statements>;

beforeAll(async () => {
  server = await startServer(testPostgres);
  narrow = await Executor.open(server, setupOf(1), LIMITS);
  wide = await Executor.open(server, setupOf(8), LIMITS);
});

afterAll(async () => {
  await narrow?.close();
  await wide?.close();
  await server?.stop();
});

async function all(executor: typeof wide, clients: Statements[][], preemptions = 1) {
  const search = new Exhaustive(preemptions);
  const seen: Awaited<ReturnType<typeof executor.execute>>[] = [];
  const scene = scenario(...clients);
  while (search.begin()) seen.push(await executor.execute(scene, search));
  expect(search.diverged).toBeUndefined();
  return seen;
}

const LOCK = "select pg_advisory_lock(7)";
const UNLOCK = "select pg_advisory_unlock(7)";
const leak = (...sql: string[]): Statements => ({ name: "leak", sql });

const left = ({ openTransactions, advisoryLocks = [], connectionsInUse }: Execution) => ({
  openTransactions,
  advisoryLocks,
  connectionsInUse,
});
const NOTHING = { openTransactions: 0, advisoryLocks: [], connectionsInUse: 0 };

test.each<[string, Statements, object]>([
  ["an open transaction", statements("begin", add(1)), { openTransactions: 1 }],
  ["an advisory lock", statements(LOCK), { advisoryLocks: ["7"] }],
  ["a connection", leak("select 1"), { connectionsInUse: 1 }],
  ["nothing", statements("begin", add(1), "commit"), {}],
  ["no lock that it gave back", statements(LOCK, UNLOCK), {}],
  [
    "no lock of its transaction",
    statements("begin", "select pg_advisory_xact_lock(7)", "commit"),
    {},
  ],
])("an operation that leaves %s is reported, and the next execution starts clean", async (_, operation, expected) => {
  const [execution] = await all(wide, [[operation]]);
  expect(execution && left(execution)).toEqual({ ...NOTHING, ...expected });
  // State is observed before the system is started anew.
  expect(execution?.snapshot["performed"]).toEqual([{ operations: 1 }]);
  const [next] = await all(wide, [[statements(LOCK, UNLOCK, add(2))]]);
  expect(next && [counters(next), left(next)]).toEqual([[0, 1], NOTHING]);
});

test("a lock is noticed if a function takes it whose body is stored parsed", async () => {
  const migrate = async (url: string) => {
    await setupOf(8).migrate(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(`create function seize() returns void begin atomic ${LOCK}; end`);
    await client.end();
  };
  const executor = await Executor.open(server, { ...setupOf(8), migrate }, LIMITS);
  const [execution] = await all(executor, [[statements("select seize()")]]);
  expect(execution && left(execution)).toEqual({ ...NOTHING, advisoryLocks: ["7"] });
  await executor.close();
});

test("clients that share one connection wait for each other in the service, and all complete", async () => {
  const both = [statements("begin", add(1), "commit")];
  const seen = await all(narrow, [both, both, both]);
  expect(seen.length).toBeGreaterThan(3);
  for (const execution of seen) {
    expect(execution.completion).toEqual({ type: "complete" });
    expect(counters(execution)).toEqual([3, 0]);
  }
});

test("a service that holds the only connection while it waits for another one is stuck", async () => {
  const nested: Statements = { name: "nested", sql: ["begin", add(1), add(2)] };
  const [alone] = await all(narrow, [[nested]]);
  expect(alone?.completion).toEqual({ type: "stuck", waits: "0 for a connection of the pool" });
  const [enough] = await all(wide, [[nested]]);
  expect(enough?.completion).toEqual({ type: "complete" });
  const [after] = await all(narrow, [[statements(add(1))]]);
  expect(after && counters(after)).toEqual([1, 0]);
});

test("what a stuck service still opens afterwards does not get into later executions", async () => {
  const nested: Statements = { name: "nested", sql: ["begin", add(1), add(2)] };
  let tried = 0;
  let entered = 0;
  let over = false;
  const start: SystemFactory<null, Statements>["start"] = async (context) => {
    const system = await setupOf(1).start(context);
    const { gatedUrl, gatedStream: stream } = context;
    const persist = async () => {
      while (!over) {
        tried++;
        const late = new Client({ connectionString: gatedUrl, ...(stream && { stream }) });
        late.on("error", () => {});
        await late.connect().then(
          () => entered++,
          () => {},
        );
        await late.end().catch(() => {});
        await delay(5);
      }
    };
    const stop = () => {
      void persist();
      return system.stop();
    };
    return { ...system, stop };
  };
  const executor = await Executor.open(server, { ...setupOf(1), start }, LIMITS);
  try {
    const [alone] = await all(executor, [[nested]]);
    expect(alone?.completion).toMatchObject({ type: "stuck" });
    for (const _ of [1, 2, 3]) {
      const [after] = await all(executor, [[statements(add(1))]]);
      expect(after && counters(after)).toEqual([1, 0]);
      expect(JSON.stringify(after?.trace)).not.toContain('"bg');
    }
    expect(tried).toBeGreaterThan(1);
    expect(entered).toBe(0);
  } finally {
    over = true;
    await executor.close();
  }
});

test("a reset ends a session that still holds what it waits for", async () => {
  const start: SystemFactory<null, Statements>["start"] = async (context) => {
    const system = await setupOf(8).start(context);
    const reset = async () => {
      const held = new Client({ connectionString: context.gatedUrl });
      held.on("error", () => {});
      await held.connect();
      await held.query("begin; lock table counter");
      await system.reset(null);
    };
    return { ...system, reset };
  };
  const executor = await Executor.open(server, { ...setupOf(8), start }, LIMITS);
  const [execution] = await all(executor, [[statements(add(1))]]);
  expect(execution && counters(execution)).toEqual([1, 0]);
  await executor.close();
});

test("an executor goes on after an execution that was ended in its middle", async () => {
  const broken: SystemFactory<null, Statements> = {
    ...setupOf(8),
    start: async (context: SystemContext) => {
      const system = await setupOf(8).start(context);
      let commits = 0;
      const observe: typeof system.observe = async (when) => {
        if (when === "commit" && ++commits === 2) throw new Error("no state to see");
        return system.observe(when);
      };
      return { ...system, observe };
    },
  };
  const executor = await Executor.open(server, broken, LIMITS);
  const both = [statements("begin", add(1), "commit"), statements("begin", add(2), "commit")];
  const search = new Exhaustive(0);
  search.begin();
  await expect(executor.execute(scenario(both, both), search, "each-commit")).rejects.toThrow(
    "the service's observe() failed: Error: no state to see",
  );
  const [next] = await all(executor, [[statements(add(1))]]);
  expect(next && counters(next)).toEqual([1, 0]);
  await executor.close();
});
