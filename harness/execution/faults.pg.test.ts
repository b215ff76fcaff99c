import { Client } from "pg";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
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

beforeAll(async () => {
  server = await startServer(testPostgres);
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
    { ...LIMITS, control: { gates: ["statement", "routine"], isolation: "read committed" } },
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
  const scene = scenario(...clients);
  const replays = [new ReplayScheduler(parsed), new ReplayScheduler(parsed)];
  const executions: Execution<null, Statements>[] = [];
  for (const replay of replays) {
    executions.push(await executor.execute(scene, replay));
    expect(replay.diverged()).toBeUndefined();
  }
  const [first, second] = executions;
  if (first === undefined) throw new Error("nothing was executed");
  expect(second?.trace).toEqual(first.trace);
  expect(formatSchedule(first.schedule)).toBe(schedule);
  return first;
}

const codes = ({ trace }: Execution) =>
  historyOf(trace).flatMap((event) => (event.type === "return" ? event.response.code : []));

const faults = ({ trace }: Execution) => trace.filter((event) => event.type === "fault");

describe("a fault", () => {
  test("before the statement: it never reaches the server, and its transaction is undone", async () => {
    const execution = await follow([[statements("begin", add(1), "commit")]], "0*3 0!cut-before");
    expect(counters(execution)).toEqual([0, 0]);
    expect(codes(execution)).toEqual(["?"]);
    expect(faults(execution)).toEqual([
      { type: "fault", task: "0", fault: "cut-before", statement: { sql: "commit", values: [] } },
    ]);
  });

  test("after the statement: it has taken effect, and the service does not get the response", async () => {
    const execution = await follow([[statements("begin", add(1), "commit")]], "0*3 0!cut-after");
    expect(counters(execution)).toEqual([1, 0]);
    expect(codes(execution)).toEqual(["?"]);
    expect(faults(execution)).toEqual([{ type: "fault", task: "0", fault: "cut-after" }]);
  });

  test("after a statement that then stands in a routine and waits: the connection is cut at its answer", async () => {
    const execution = await follow(
      [[statements("select add_twice()")], [statements("begin", add(2), "commit")]],
      "1*3 0*2 0!cut-after 0 1 0",
    );
    expect(counters(execution)).toEqual([1, 2]);
    expect(codes(execution)).toEqual(["OK", "?"]);
    const last = execution.trace.at(-1);
    expect(last).toMatchObject({ type: "return", client: 0 });
  });

  test("after the answer, before it is delivered", async () => {
    const execution = await follow(
      [[statements("begin", add(1), "commit")], [statements(add(1))]],
      "0*3 1*2 0 1!cut-after",
    );
    expect(counters(execution)).toEqual([2, 0]);
    expect(codes(execution)).toEqual(["OK", "?"]);
  });

  test("cancels a statement that stands inside a routine", async () => {
    const execution = await follow(
      [[statements("select add_twice()", "select 1")]],
      "0*3 0!cancel 0",
    );
    expect(counters(execution)).toEqual([0, 0]);
    expect(codes(execution)).toEqual(["57014"]);
  });

  test("cancels a statement that waits for a lock, and its session continues", async () => {
    const execution = await follow(
      [[statements("begin", add(1), "commit")], [statements(add(1)), statements(add(2))]],
      "0*3 1*2 1!cancel 1*3 0",
    );
    expect(counters(execution)).toEqual([1, 1]);
    expect(codes(execution)).toEqual(["57014", "OK", "OK"]);
  });

  test("ends a session and its locks: the client that waited for them continues", async () => {
    const execution = await follow(
      [[statements("begin", add(1), "commit")], [statements(add(1))]],
      "0*3 1*2 0!terminate 1",
    );
    expect(counters(execution)).toEqual([1, 0]);
    expect(codes(execution)).toEqual(["?", "OK"]);
  });

  test("ends a session that waits", async () => {
    const execution = await follow(
      [[statements("begin", add(1), "commit")], [statements(add(1))]],
      "0*3 1*2 1!terminate 0",
    );
    expect(counters(execution)).toEqual([1, 0]);
    expect(codes(execution)).toEqual(["?", "OK"]);
  });

  test("ends a session that stands inside a routine", async () => {
    const execution = await follow([[statements("select add_twice()")]], "0*3 0!terminate");
    expect(counters(execution)).toEqual([0, 0]);
  });
});

describe("a client", () => {
  test("gives up: its request continues without it, and no client gets the response", async () => {
    const execution = await follow(
      [[statements("begin", add(1), "commit"), statements("select 1")], [statements(add(2))]],
      "0*2 0!give-up 0*2 2 1*2 2",
    );
    expect(counters(execution)).toEqual([1, 1]);
    expect(codes(execution)).toEqual(["GAVE_UP", "OK", "OK"]);
    expect(faults(execution)).toEqual([
      { type: "fault", task: "0", fault: "give-up", becomes: "2" },
    ]);
  });

  test("gives up while its statement waits, and retries the operation", async () => {
    const execution = await follow(
      [[statements("begin", add(1), "commit")], [statements("begin", add(1), "commit")]],
      "1*3 0*3 0!give-up 0!retry 0*2 1 2*2 0*2",
    );
    expect(counters(execution)).toEqual([3, 0]);
    expect(codes(execution)).toEqual(["GAVE_UP", "OK", "OK"]);
    const sent = historyOf(execution.trace).flatMap((event) =>
      event.type === "invoke" ? `${event.client}/${event.index}` : [],
    );
    expect(sent).toEqual(["1/0", "0/0", "0/1"]);
  });
});

test("a replay repeats random faults", async () => {
  const both = [statements("begin", add(1), add(2), "commit"), statements("select add_twice()")];
  const scene = scenario(both, both, [statements(add(2))]);
  const seed = 11;
  const faulty = new RandomFaults(
    new RandomWalk(seed),
    ["cut-before", "cut-after", "cancel", "terminate", "give-up", "retry"],
    seed,
  );
  const injected = new Set<string>();
  for (let run = 0; run < 40; run++) {
    faulty.begin(scene);
    const execution = await executor.execute(scene, faulty);
    if (faults(execution).length === 0) continue;
    for (const event of faults(execution)) injected.add(event.fault);
    const replay = new ReplayScheduler(execution.schedule);
    const again = await executor.execute(scene, replay);
    expect(replay.diverged()).toBeUndefined();
    expect(again.trace).toEqual(execution.trace);
    expect(again.snapshot).toEqual(execution.snapshot);
  }
  expect([...injected].sort()).toEqual([
    "cancel",
    "cut-after",
    "cut-before",
    "give-up",
    "terminate",
  ]);
});
