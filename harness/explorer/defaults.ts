import { availableParallelism } from "node:os";
import { type Strategy, strategies } from "../scheduler/strategies.ts";

const PREEMPTIONS = 2;

function strategy(wanted: string): Strategy {
  const found = strategies({ preemptions: PREEMPTIONS }).find(({ name }) => name === wanted);
  if (found === undefined) throw new Error(`there is no strategy ${wanted}`);
  return found;
}

/** What a campaign does when it is not told otherwise, on the command line and in code. */
export const DEFAULTS = {
  /** Without a limit of time. */
  runs: 3_000,
  bounds: { minClients: 2, maxClients: 4 },
  strategy: strategy("auto"),
  /** Of the model's pairs of operations. */
  pairStrategy: strategy("exhaustive"),
  preemptions: PREEMPTIONS,
  faults: [],
  control: { gates: ["statement", "routine"], isolation: "read committed" },
  stepTimeoutMs: 10_000,
  shrinkTimeMs: 30_000,
  /** Processes of a campaign on the command line. */
  workers: Math.min(availableParallelism(), 4),
} as const;
