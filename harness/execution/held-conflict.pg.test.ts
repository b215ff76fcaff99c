import { Client } from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import { GATE_NAMES } from "../core/control.ts";
import type { Execution } from "../core/execution.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { FreeSteps } from "../scheduler/free-steps.ts";
import { RandomWalk } from "../scheduler/random.ts";
import { Executor } from "./executor.ts";
import { LIMITS, STATEMENT_SERVICE, scenario, statements } from "./statements.fixture.ts";

let server: Server;

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterAll(() => server?.stop());

/** The rows are deleted by the clients themselves, so that each execution begins with none. */
const SCENE = scenario(
  [statements("insert into span (key, during) values ('a', '[1,5)')", "delete from span")],
  [statements("insert into span (key, during) values ('b', '[2,6)')", "delete from span")],
);

async function open(columns: string): Promise<Executor<null, ReturnType<typeof statements>>> {
  const migrate = async (url: string) => {
    await STATEMENT_SERVICE.migrate(url);
    const client = new Client({ connectionString: url });
    await client.connect();
    await client.query(
      `create table span (${columns}, during int4range, exclude using gist (during with &&))`,
    );
    await client.end();
  };
  const control = { gates: GATE_NAMES, isolation: "read committed" as const };
  return Executor.open(server, { ...STATEMENT_SERVICE, migrate }, { ...LIMITS, control });
}

const codes = ({ trace }: Execution) =>
  trace.flatMap((event) => (event.type === "return" ? event.response.code : []));

/** Executions in which the clients run freely from the first state in which both stand before the constraint. */
async function sampled(columns: string, times: number): Promise<readonly Execution[]> {
  const executor = await open(columns);
  try {
    const walks = new RandomWalk(1);
    let [state] = executor.takeUngatedStates();
    for (let walk = 0; state === undefined && walk < 50; walk++) {
      await executor.execute(SCENE, walks);
      [state] = executor.takeUngatedStates();
    }
    if (state === undefined) throw new Error("the clients never met");
    expect(state).toMatchObject({ part: "the exclusion constraint on span", tasks: ["0", "1"] });
    expect(executor.ungated).toEqual(["the exclusion constraint on span"]);
    const executions: Execution[] = [];
    for (let seed = 0; seed < times; seed++) {
      const steps = FreeSteps.after(state.entries, state.tasks, seed);
      steps.begin();
      executions.push(await executor.execute(SCENE, steps));
    }
    return executions;
  } finally {
    await executor.close();
  }
}

test("two inserts that run freely into an exclusion constraint meet there", async () => {
  const executions = await sampled("id serial, key text primary key", 10);
  expect(executions.some((execution) => codes(execution).includes("40P01"))).toBe(true);
  expect(executions.every(({ schedule }) => /^[01]\+$/m.test(schedule.entries.join("\n")))).toBe(
    true,
  );
});

test("where no such row can be inserted, clients run freely all the same", async () => {
  const executions = await sampled("key char primary key", 2);
  expect(executions.map(({ completion }) => completion.type)).toEqual(["complete", "complete"]);
});
