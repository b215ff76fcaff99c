import { Option } from "commander";
import { DEFAULTS } from "../explorer/defaults.ts";
import { durationMs } from "./options.ts";

/*
 * What several commands have in common.
 */

export const POSTGRES =
  "auto, embedded[:major], container[:tag or image] (else HEDDLE_POSTGRES_IMAGE), " +
  "url (HEDDLE_POSTGRES_URL), or a postgres:// URL";
export const REUSE = "keep the container for the next run, or use the one that was kept";
export const SEED = "everything generated derives from it (default: a random one)";

export function stepTimeout(): Option {
  return new Option("--step-timeout <duration>", "how long one step may take")
    .argParser(durationMs)
    .default(DEFAULTS.stepTimeoutMs, "10s");
}

export function shrinkTime(): Option {
  return new Option("--shrink-time <duration>", "how long shrinking may take")
    .argParser(durationMs)
    .default(DEFAULTS.shrinkTimeMs, "30s");
}
