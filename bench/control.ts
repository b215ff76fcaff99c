import { mkdtemp } from "node:fs/promises";
import { join } from "node:path";
import type { GateName } from "../harness/core/control.ts";
import type { Scenario } from "../harness/core/scenario.ts";
import { DEFAULTS } from "../harness/explorer/defaults.ts";
import { generator } from "../harness/explorer/generate.ts";
import { startServer } from "../harness/postgres/provider.ts";
import { RandomWalk } from "../harness/scheduler/random.ts";
import { openExecutor } from "../harness/service/open-executor.ts";
import { type Benchmark, inTurns } from "./benchmark.ts";
import { booking } from "./booking.ts";

type Input = ReturnType<ReturnType<typeof inputs>>;

const ROUNDS = 10;
const PER_ROUND = 100;
/** Rounds that do not count: they warm up connections, plans and the compiler. */
const WARM_UP = 2;

const inputs = () => generator(booking, { minClients: 2, maxClients: 4 }, 1);

/**
 * The cost of control per execution. Both sides run the same scenarios with the same service on the
 * same server: in one, Heddle holds clients at the gates; in the other, all clients run concurrently
 * without control. Both sides reset the database before each scenario, and read the invariants and the
 * contents after it.
 *
 * @param gates the kinds of gates besides those of statements. Default: none
 */
export async function control(gates: readonly GateName[] = []): Promise<Benchmark> {
  const names = [...new Set<GateName>(["statement", ...gates])];
  const input = inputs();
  const server = await startServer("auto");
  try {
    const control = { ...DEFAULTS.control, gates: names };
    const limits = { ...DEFAULTS, control, signal: undefined };
    const executor = await openExecutor(server, booking, undefined, limits);
    const database = await server.lease();
    await booking.migrate(database.url, undefined);
    const plain = await booking.start(
      {
        gatedUrl: database.url,
        directUrl: database.url,
        urlFor: async () => database.url,
        sessionsOf: () => 0,
        isBusy: () => false,
        listenOn: async () => {},
        folder: await mkdtemp(join(server.folder, "b")),
      },
      undefined,
    );
    const round = (run: (input: Input) => Promise<unknown>) => async (number: number) => {
      for (let i = 0; i < PER_ROUND; i++) await run(input(number * PER_ROUND + i));
    };
    const ours = round(({ scenario, scheduleSeed }) =>
      executor.execute(scenario, new RandomWalk(scheduleSeed)),
    );
    const theirs = round(async ({ scenario }) => {
      await plain.reset(scenario.initial);
      await Promise.all(clients(scenario, plain.perform));
      await plain.observe();
      await plain.contents?.();
    });
    await inTurns(WARM_UP, ours, theirs);
    const ms = await inTurns(ROUNDS, ours, theirs);
    await plain.stop();
    await executor.close();
    const rate = (total: number) => (ROUNDS * PER_ROUND * 1_000) / total;
    return {
      name: "control",
      ours: rate(ms.ours),
      theirs: rate(ms.theirs),
      ratio: ms.theirs / ms.ours,
      unit: "executions/s",
      compared:
        `controlled executions (gates: ${names.join(", ")}) of generated booking scenarios with 2 to 4 ` +
        "clients, against the same scenarios with all clients at once and no control, on the same " +
        "server; higher is better",
    };
  } finally {
    await server.stop();
  }
}

/** Each client sends its operations in order; the clients do not wait for each other. */
function clients<State, C>(
  scenario: Pick<Scenario, "initial"> & { readonly clients: readonly (readonly C[])[] },
  perform: (operation: C, client: number) => Promise<State>,
): Promise<void>[] {
  return scenario.clients.map(async (operations, client) => {
    for (const operation of operations) await perform(operation, client);
  });
}
