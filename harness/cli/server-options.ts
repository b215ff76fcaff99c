import { Option } from "commander";
import { DEFAULTS } from "../defaults.ts";
import { durationMs } from "./options.ts";

/*
 * What commands that need a server have in common.
 */

export const POSTGRES =
  "auto, embedded[:major], container[:tag or image] (else HEDDLE_POSTGRES_IMAGE), " +
  "url (HEDDLE_POSTGRES_URL), or a postgres:// URL";
export const REUSE = "keep the container for the next run, or use the one that was kept";

export function stepTimeout(): Option {
  return new Option("--step-timeout <duration>", "how long one step may take")
    .argParser(durationMs)
    .default(DEFAULTS.stepTimeoutMs, "10s");
}
