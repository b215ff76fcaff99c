import type { Choice, Task } from "../harness/core/schedule.ts";
import { Executor } from "../harness/execution/executor.ts";
import { startServer } from "../harness/postgres/provider.ts";
import type { Scheduler } from "../harness/scheduler/scheduler.ts";
import { type Benchmark, mediansInTurns } from "./benchmark.ts";
import { type BenchSession, OPTIONS, sessionSetup } from "./sessions.ts";

const ROUNDS = 15;
const WARM_UP = 3;
/** The steps of all clients together, in one round. */
const STEPS = 4_000;
const CASES = [
  { name: "one client", clients: 1, over: "stream" },
  { name: "2 clients, in turns", clients: 2, over: "stream" },
  { name: "one client, over a socket as from another process", clients: 1, over: "socket" },
] as const;

/** Alternates between the clients. */
const alternate: Scheduler = {
  begin: () => true,
  choose: (enabled: readonly Choice[], previous: Task | undefined) => {
    const [first] = enabled;
    if (first === undefined) throw new Error("no task is enabled");
    return enabled.find(({ task }) => task !== previous) ?? first;
  },
};

/** The cost of control per statement, with statements that cost next to nothing themselves. */
export async function step(): Promise<Benchmark> {
  const server = await startServer("auto");
  try {
    const cases = [];
    for (const { name, clients, over } of CASES) {
      const sessions = Array.from({ length: clients }, (): BenchSession["steps"] =>
        Array.from({ length: STEPS / clients }, () => ({ name: "one", sql: "select 1" })),
      );
      const operations = sessions.map((steps): BenchSession => ({ name: "session", steps }));
      const setup = sessionSetup({ schema: "", setup: "", sessions, teardown: "" }, over);
      const executor = await Executor.open(server, setup, OPTIONS);
      const { url, drop } = await server.lease();
      const bare = await setup.start({
        gatedUrl: url,
        directUrl: url,
        folder: server.folder,
        urlFor: async () => url,
        sessionsOf: () => 0,
        isBusy: () => false,
        listenOn: async () => {},
      });
      const scenario = { initial: null, clients: operations.map((operation) => [operation]) };
      const ours = async () => {
        await executor.execute(scenario, alternate);
      };
      const theirs = async () => {
        for (const [client, operation] of operations.entries())
          await bare.perform(operation, client);
      };
      await mediansInTurns(WARM_UP, ours, theirs);
      const ms = await mediansInTurns(ROUNDS, ours, theirs);
      await bare.stop();
      await drop();
      await executor.close();
      cases.push({
        name,
        ours: (ms.ours * 1_000) / STEPS,
        theirs: (ms.theirs * 1_000) / STEPS,
        ratio: ms.ours / ms.theirs,
      });
    }
    const [headline] = cases;
    if (headline === undefined) throw new Error("nothing was measured");
    return {
      ...headline,
      name: "step",
      unit: "µs/step",
      compared:
        "a statement that is held, released by the scheduler, executed and answered, against a bare " +
        "round trip of the same statement with the same driver to the same server; the client " +
        "connects to the gate within this process unless the case says otherwise; lower is better; " +
        "medians of rounds in turns",
      cases,
    };
  } finally {
    await server.stop();
  }
}
