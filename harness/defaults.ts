import { strategies } from "./scheduler/strategies.ts";

const PREEMPTIONS = 2;
const [AUTO] = strategies({ preemptions: PREEMPTIONS });
if (AUTO === undefined) throw new Error("there is no strategy");

/** What a campaign does when it is not told otherwise, on the command line and in code. */
export const DEFAULTS = {
  /** Without a limit of time. */
  runs: 3_000,
  bounds: { minClients: 2, maxClients: 4 },
  strategy: AUTO,
  preemptions: PREEMPTIONS,
  control: { gates: ["statement", "routine"], isolation: "read committed" },
  stepTimeoutMs: 10_000,
  shrinkTimeMs: 30_000,
} as const;
