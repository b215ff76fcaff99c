import { availableParallelism } from "node:os";
import { type Control, GATE_NAMES } from "../core/control.ts";
import type { Service } from "../service/service.ts";

/** The options of a campaign that are not given, on the command line and in code. */
export const DEFAULTS = {
  /** The most executions, where there is no limit of time or scenarios. */
  runs: 3_000,
  bounds: { minClients: 2, maxClients: 4 },
  strategy: "auto",
  /** The strategy for the service's pairs of operations. */
  pairStrategy: "exhaustive",
  preemptions: 2,
  faults: [],
  control: { gates: GATE_NAMES, isolation: "read committed" },
  stepTimeoutMs: 10_000,
  shrinkTimeMs: 30_000,
  /** The number of processes of a campaign on the command line. */
  workers: Math.min(availableParallelism(), 4),
} as const;

/** The control of a service's executions: what is given, else what the service says, else the default. */
export function controlFor(
  { isolation = DEFAULTS.control.isolation }: Pick<Service, "isolation">,
  given: Partial<Control> = {},
): Control {
  return { ...DEFAULTS.control, isolation, ...given };
}
