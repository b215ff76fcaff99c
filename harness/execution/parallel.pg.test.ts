import { afterAll, beforeAll, expect, test } from "vitest";
import { formatSchedule } from "../core/schedule.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
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

const parallel = (...sql: string[]): Statements => ({ name: "parallel", sql });

async function explore(...clients: Statements[][]) {
  const search = new Exhaustive(10);
  const seen: Awaited<ReturnType<typeof executor.execute>>[] = [];
  while (search.begin()) seen.push(await executor.execute(scenario(...clients), search));
  expect(search.diverged).toBeUndefined();
  return seen;
}

test("parallel statements of one client are tasks of their own", async () => {
  const seen = await explore([parallel("select 1", "select 2")]);
  expect(seen.map(({ schedule }) => formatSchedule(schedule))).toEqual(["0*2 0.1", "0 0.1 0"]);
  const ran = seen.map(({ trace }) =>
    trace.flatMap((event) => (event.type === "statement" ? event.statement.sql : [])),
  );
  expect(ran).toEqual([
    ["select 1", "select 2"],
    ["select 2", "select 1"],
  ]);
});

test("parallel statements interleave with those of another client, in each order once", async () => {
  const seen = await explore(
    [parallel(add(1), add(2))],
    [statements("select value from counter where id = 1")],
  );
  // A start and two statements in either order, among a start and one statement: 5 choose 2, twice.
  expect(new Set(seen.map(({ schedule }) => formatSchedule(schedule))).size).toBe(20);
  expect(seen).toHaveLength(20);
  for (const execution of seen) expect(counters(execution)).toEqual([1, 1]);
});
