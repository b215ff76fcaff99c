import { fileURLToPath } from "node:url";
import { DEFAULTS } from "../harness/explorer/defaults.ts";
import { verify } from "../harness/explorer/verify.ts";
import { startServer } from "../harness/postgres/provider.ts";
import { type Benchmark, inTurns } from "./benchmark.ts";
import { booking } from "./booking.ts";

const MODEL = fileURLToPath(new URL("../models/booking/index.ts", import.meta.url));
const ROUNDS = 2;
/** The time of each campaign: the whole benchmark takes about a minute on any machine. */
const CAMPAIGN_MS = 12_000;

/** The gain of worker processes: the same campaign with one process per core (at most 4), and with one. */
export async function workers(): Promise<Benchmark> {
  const server = await startServer("auto");
  try {
    const executions = { ours: 0, theirs: 0 };
    const campaign = (side: keyof typeof executions, count: number) => async () => {
      const { campaign: done, error } = await verify(server, booking, {
        seed: 1,
        timeMs: CAMPAIGN_MS,
        workers: { count, serviceFile: MODEL, joinMs: 0 },
      });
      if (error !== undefined) throw error;
      executions[side] += done.executions;
    };
    const ms = await inTurns(ROUNDS, campaign("ours", DEFAULTS.workers), campaign("theirs", 1));
    const ours = (executions.ours * 1_000) / ms.ours;
    const theirs = (executions.theirs * 1_000) / ms.theirs;
    return {
      name: "workers",
      ours,
      theirs,
      ratio: ours / theirs,
      unit: "executions/s",
      compared:
        `the default campaign of the booking service for ${CAMPAIGN_MS / 1_000} s in ` +
        `${DEFAULTS.workers} processes, including their start, against one process on the same ` +
        `server, in turns, ${ROUNDS} times each; higher is better`,
    };
  } finally {
    await server.stop();
  }
}
