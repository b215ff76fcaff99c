import { RANDOM } from "./scheduler/strategies.ts";

/** What a campaign does when it is not told otherwise, on the command line and in code. */
export const DEFAULTS = {
  /** Without a limit of time. */
  runs: 3_000,
  bounds: { minClients: 2, maxClients: 4 },
  strategy: RANDOM,
  stepTimeoutMs: 10_000,
  shrinkTimeMs: 30_000,
} as const;
