import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { Isolation } from "../core/control.ts";
import { type Execution, historyOf } from "../core/execution.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { testPostgres } from "../postgres/server.fixture.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { Executor } from "./executor.ts";
import {
  add,
  LIMITS,
  STATEMENT_SERVICE,
  type Statements,
  scenario,
  statements,
} from "./statements.fixture.ts";

let server: Server;
const opened: Executor<null, Statements>[] = [];

beforeAll(async () => {
  server = await startServer(testPostgres);
});

afterEach(async () => {
  for (const executor of opened.splice(0)) await executor.close();
});

afterAll(() => server?.stop());

async function explore(
  scene: ReturnType<typeof scenario>,
  isolation: Isolation = "read committed",
): Promise<Execution<null, Statements>[]> {
  const control = { ...LIMITS.control, isolation };
  const executor = await Executor.open(server, STATEMENT_SERVICE, { ...LIMITS, control });
  opened.push(executor);
  const search = new Exhaustive(2);
  const seen: Execution<null, Statements>[] = [];
  while (search.begin()) seen.push(await executor.execute(scene, search));
  expect(search.diverged).toBeUndefined();
  return seen;
}

/** Each client's response code, by client. */
const codes = ({ trace }: Execution) =>
  historyOf(trace)
    .flatMap((event) => (event.type === "return" ? [event] : []))
    .sort((a, b) => a.client - b.client)
    .map(({ response }) => response.code);

const bodies = ({ trace }: Execution) =>
  historyOf(trace).flatMap((event) => (event.type === "return" ? [event.response.body] : []));

const waits = ({ trace }: Execution) => trace.filter(({ type }) => type === "wait").length;

const withCode = (seen: readonly Execution[], wanted: string) =>
  seen.filter((execution) => codes(execution).includes(wanted));

describe("a statement that does not wait for a lock", () => {
  test("fails at once with NOWAIT", async () => {
    const claim = [
      statements("begin", "select id from counter where id = 1 for update nowait", "commit"),
    ];
    const seen = await explore(scenario(claim, claim));
    expect(seen.map(waits)).toEqual(seen.map(() => 0));
    expect(withCode(seen, "55P03").length).toBeGreaterThan(0);
    expect(withCode(seen, "OK")).toHaveLength(seen.length);
  });

  test("takes the next row with SKIP LOCKED", async () => {
    const next = "select id from counter order by id for update skip locked limit 1";
    const claim = [statements("begin", next, "commit")];
    const seen = await explore(scenario(claim, claim));
    expect(seen.map(waits)).toEqual(seen.map(() => 0));
    const taken = new Set(seen.map((execution) => JSON.stringify(bodies(execution).sort())));
    expect(taken).toEqual(new Set(['[["1"],["1"]]', '[["1"],["2"]]']));
  });
});

describe("a wait that ends before its holder's transaction", () => {
  test("ends by a rollback to a savepoint", async () => {
    const undo = [
      statements("begin", "savepoint s", add(1), "rollback to s", "select 1", "commit"),
    ];
    const seen = await explore(scenario(undo, [statements(add(1))]));
    const early = seen.filter(({ trace }) => {
      const waited = trace.findIndex((event) => event.type === "wait");
      const answered = trace.findIndex(
        (event, at) => at > waited && event.type === "result" && event.task === "1",
      );
      const committed = trace.findIndex(
        (event) => event.type === "result" && event.result.tags.includes("COMMIT"),
      );
      return waited >= 0 && answered < committed;
    });
    expect(early.length).toBeGreaterThan(0);
  });

  test("always ends by a short lock_timeout before others go on", async () => {
    const hurried = statements("begin", "set local lock_timeout = '3ms'", add(1), "commit");
    const seen = await explore(scenario([statements("begin", add(1), "commit")], [hurried]));
    const waiting = seen.flatMap(({ trace }) => trace.filter(({ type }) => type === "wait"));
    expect(new Set(waiting.map((wait) => "task" in wait && wait.task))).toEqual(new Set(["0"]));
    expect(withCode(seen, "55P03").length).toBeGreaterThan(0);
    expect(withCode(seen, "55P03").length).toBeLessThan(seen.length);
  });

  test.each(["lock_timeout", "statement_timeout"])("ends by the application's %s", async (name) => {
    const forever: Statements = { name: "leak", sql: ["begin", add(1)] };
    const hurried = statements(`set ${name} = '50ms'`, add(1));
    const [execution] = await explore(scenario([forever, hurried]));
    expect(execution?.completion).toEqual({ type: "complete" });
    expect(execution && codes(execution)).toEqual([
      "OK",
      name === "lock_timeout" ? "55P03" : "57014",
    ]);
  });
});

describe("a serializable conflict", () => {
  const skew = (mine: number) => [
    statements(
      "begin",
      "select sum(value) from counter",
      `update counter set value = value + 1 where id = ${mine}`,
      "commit",
    ),
  ];

  test("refuses one of two transactions that each read what the other writes", async () => {
    const seen = await explore(scenario(skew(1), skew(2)), "serializable");
    const refused = withCode(seen, "40001");
    expect(refused.length).toBeGreaterThan(0);
    expect(refused.length).toBeLessThan(seen.length);
    for (const execution of refused) expect(codes(execution).sort()).toEqual(["40001", "OK"]);
  });

  test("does not exist under repeatable read", async () => {
    const seen = await explore(scenario(skew(1), skew(2)), "repeatable read");
    expect(withCode(seen, "40001")).toEqual([]);
  });
});
