import { fileURLToPath } from "node:url";
import { DEFAULTS } from "../harness/defaults.ts";
import { startServer } from "../harness/postgres/provider.ts";
import { verify } from "../harness/verify.ts";
import booking from "../models/booking/index.ts";
import { type Benchmark, inTurns } from "./benchmark.ts";

const MODEL = fileURLToPath(new URL("../models/booking/index.ts", import.meta.url));
const ROUNDS = 2;
const RUNS = 3_000;

/** What further processes gain: the same campaign, with one for each core (at most 4), and alone. */
export async function workers(): Promise<Benchmark> {
  const server = await startServer("auto");
  try {
    const campaign = (count: number) => async () => {
      const { error } = await verify(server, booking, {
        seed: 1,
        runs: RUNS,
        workers: {
          count,
          model: MODEL,
          strategyOptions: { preemptions: DEFAULTS.preemptions },
          joinMs: 0,
        },
      });
      if (error !== undefined) throw error;
    };
    const ms = await inTurns(ROUNDS, campaign(DEFAULTS.workers), campaign(1));
    const rate = (total: number) => (ROUNDS * RUNS * 1_000) / total;
    return {
      name: "workers",
      ours: rate(ms.ours),
      theirs: rate(ms.theirs),
      ratio: ms.theirs / ms.ours,
      unit: "executions/s",
      compared:
        `the default campaign of the booking service with ${RUNS} executions in ${DEFAULTS.workers} ` +
        "processes, their start included, against one process on the same server",
    };
  } finally {
    await server.stop();
  }
}
