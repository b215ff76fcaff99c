import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type Execution, historyOf } from "../core/execution.ts";
import { formatSchedule, parseSchedule } from "../core/schedule.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { RandomFaults } from "../scheduler/random-faults.ts";
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

const ROUTINE = `
  create function add_twice() returns void language plpgsql as $$
  begin
    update counter set value = value + 1 where id = 1;
    update counter set value = value + 1 where id = 2;
  end $$`;

let server: Server;
let executor: Executor<null, Statements>;

const queries = [{ name: "sum", sql: "select sum(value)::int from counter" }];

beforeAll(async () => {
  server = await startServer(testPostgres, { faults: true });
  const migrate = async (url: string) => {
    await STATEMENT_SERVICE.migrate(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(ROUTINE);
    await client.end();
  };
  executor = await Executor.open(
    server,
    { ...STATEMENT_SERVICE, migrate },
    {
      ...LIMITS,
      queries,
      faults: ["crash"],
      control: { gates: ["statement", "routine"], isolation: "read committed" },
    },
  );
});

afterAll(async () => {
  await executor?.close();
  await server?.stop();
});

/** Executes the schedule to its end twice, with equal traces. */
async function follow(clients: Statements[][], schedule: string) {
  const parsed = parseSchedule(schedule);
  if (parsed === undefined) throw new Error(`this is no schedule: ${schedule}`);
  const executions: Execution<null, Statements>[] = [];
  for (const replay of [new ReplayScheduler(parsed), new ReplayScheduler(parsed)]) {
    executions.push(await executor.execute(scenario(...clients), replay));
    expect(replay.diverged()).toBeUndefined();
  }
  const [first, second] = executions;
  if (first === undefined) throw new Error("nothing was executed");
  expect(second?.trace).toEqual(first.trace);
  expect(formatSchedule(first.schedule)).toBe(schedule);
  return first;
}

const responses = ({ trace }: Execution) =>
  historyOf(trace).flatMap((event) =>
    event.type === "return" ? `${event.client}: ${event.response.code}` : [],
  );

const transaction = statements("begin", add(1), "commit");

test("after a crash exactly what was committed is there, and each client learns of it on its turn", async () => {
  const execution = await follow(
    [[statements(add(2)), transaction], [transaction], [statements(add(1))]],
    "0*2 1*3 2*2 0*3 bg!crash 2 0 1",
  );
  expect(counters(execution)).toEqual([0, 1]);
  expect(execution.snapshot["sum"]).toEqual([{ sum: 1 }]);
  expect(responses(execution)).toEqual(["0: OK", "2: ?", "0: ?", "1: ?"]);
  expect(execution.openTransactions).toBe(0);
});

test("a response that was not delivered is lost with the server", async () => {
  const execution = await follow(
    [[transaction], [statements(add(1)), statements(add(2))]],
    "0*3 1*2 0 bg!crash 1*3",
  );
  expect(counters(execution)).toEqual([2, 1]);
  expect(responses(execution)).toEqual(["0: OK", "1: ?", "1: OK"]);
});

test("a statement at a gate inside the server is lost, and the gates work again afterwards", async () => {
  const twice = statements("select add_twice()");
  const execution = await follow([[twice, twice], [twice]], "0*2 1*2 bg!crash 0*5 1");
  expect(counters(execution)).toEqual([1, 1]);
  expect(responses(execution)).toEqual(["0: ?", "0: OK", "1: ?"]);
});

test("a server can crash after the last operation, and twice", async () => {
  const execution = await follow([[statements(add(1))]], "0 bg!crash 0 bg!crash");
  expect(counters(execution)).toEqual([0, 0]);
});

test("a replay repeats random crashes", async () => {
  const both = [statements("begin", add(1), add(2), "commit"), statements(add(2))];
  const scene = scenario(both, both);
  const faulty = new RandomFaults(new RandomWalk(3), ["crash"], 3);
  let crashes = 0;
  for (let run = 0; run < 12; run++) {
    faulty.begin(scene);
    const execution = await executor.execute(scene, faulty);
    if (!execution.trace.some(({ type }) => type === "fault")) continue;
    crashes++;
    const replay = new ReplayScheduler(execution.schedule);
    const again = await executor.execute(scene, replay);
    expect(replay.diverged()).toBeUndefined();
    expect(again.trace).toEqual(execution.trace);
    expect(again.snapshot).toEqual(execution.snapshot);
  }
  expect(crashes).toBeGreaterThan(1);
});

test("crash and kill are refused where the process cannot be killed", async () => {
  const plain = await startServer(testPostgres);
  const options = { ...LIMITS, faults: ["crash"] } as const;
  await expect(Executor.open(plain, STATEMENT_SERVICE, options)).rejects.toMatchObject({
    code: "UNSUPPORTED",
    message: "this server cannot be killed and started again: do without the faults crash",
  });
  await plain.stop();
  const killed = Executor.open(server, STATEMENT_SERVICE, { ...LIMITS, faults: ["kill-before"] });
  await expect(killed).rejects.toMatchObject({ code: "UNSUPPORTED" });
});
