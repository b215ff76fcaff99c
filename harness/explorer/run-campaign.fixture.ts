import { CHECKERS } from "../checkers/registry.ts";
import { type Strategy, strategies } from "../scheduler/strategies.ts";
import type { CampaignOptions } from "./bounded-exploration.ts";
import type { Environment } from "./campaign.ts";

export const ENVIRONMENT: Environment = {
  heddle: "0.0.0",
  node: "v24",
  platform: "test",
  cpus: 1,
  postgres: { provider: "none", version: "0", lockWaits: "pushed" },
};

export function strategyNamed(wanted: string): Strategy {
  const strategy = strategies({ preemptions: 2 }).find(({ name }) => name === wanted);
  if (strategy === undefined) throw new Error(`no strategy ${wanted}`);
  return strategy;
}

export const OPTIONS: CampaignOptions = {
  seed: 1,
  runs: 50,
  timeMs: undefined,
  bounds: { minClients: 2, maxClients: 3 },
  pairs: false,
  strategy: strategyNamed("random"),
  control: { gates: ["statement"], isolation: "read committed" },
  checkDeterminism: false,
  checkers: CHECKERS,
  mutant: undefined,
  shrinkTimeMs: 60_000,
  signal: undefined,
  onProgress: undefined,
};
