import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Execution } from "../core/execution.ts";
import { type Server, startServer } from "../postgres/provider.ts";
import { Exhaustive } from "../scheduler/exhaustive.ts";
import { ReplayScheduler } from "../scheduler/replay.ts";
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
let executor: Executor<null, Statements>;

beforeAll(async () => {
  // Only the processes of the embedded server can be stopped.
  server = await startServer("embedded");
  executor = await Executor.open(server, STATEMENT_SERVICE, LIMITS);
});

afterAll(async () => {
  await executor?.close();
  await server?.stop();
});

async function explore(scene: ReturnType<typeof scenario>) {
  const search = new Exhaustive(2);
  const seen: Execution<null, Statements>[] = [];
  while (search.begin()) seen.push(await executor.execute(scene, search));
  expect(search.diverged).toBeUndefined();
  return seen;
}

const waits = ({ trace }: Execution) => trace.filter(({ type }) => type === "wait").length;
const wakes = ({ trace }: Execution) =>
  trace.flatMap((event) =>
    event.type === "move" && event.choice.action === "wake" ? [event.choice.task] : [],
  );

/** Both inserts wait for client 0, and its rollback ends both waits; then one of them succeeds. */
const rivals = scenario(
  [statements("begin", "insert into counter values (9, 0)", "rollback")],
  [statements("insert into counter values (9, 1)")],
  [statements("insert into counter values (9, 2)")],
);

/** The second client waits for the row, and the third waits for the second client. */
const queue = [statements("begin", add(1), "commit")];

describe("when one step ends the waits of several", () => {
  test("the wake-up order is a choice, and both orders are tried", async () => {
    const seen = await explore(rivals);
    const woken = seen.filter((execution) => wakes(execution).length > 0);
    expect(new Set(woken.map((execution) => wakes(execution)[0]))).toEqual(new Set(["1", "2"]));
    for (const execution of woken) {
      const winner = execution.snapshot["counter"]?.[2];
      expect(winner).toEqual({ id: 9, value: Number(wakes(execution)[0]) });
    }
  });

  test.each([
    { name: "rivals for a key", scene: rivals },
    { name: "a queue for a row", scene: scenario(queue, queue, queue) },
  ])("the same schedule gives the same execution: $name", async ({ scene }) => {
    const several = (await explore(scene)).filter((execution) => waits(execution) > 1);
    expect(several.length).toBeGreaterThan(5);
    for (const execution of several.slice(0, 40)) {
      for (let i = 0; i < 2; i++) {
        const replay = new ReplayScheduler(execution.schedule);
        const again = await executor.execute(scene, replay);
        expect(replay.diverged()).toBeUndefined();
        expect(again).toEqual(execution);
      }
    }
  });
});
