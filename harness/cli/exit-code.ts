import { HarnessError, type HarnessErrorCode } from "../core/error.ts";
import type { Verdict } from "../core/verdict.ts";

/** How the process ends; documented in the README, so that a CI job can tell them apart. */
export const EXIT = {
  pass: 0,
  violation: 1,
  usage: 2,
  diverged: 3,
  unknown: 4,
  interrupted: 130,
} as const;

const BY_CODE: { readonly [code in HarnessErrorCode]: number } = {
  USAGE: EXIT.usage,
  PROVIDER_FAILED: EXIT.usage,
  SERVICE_FAILED: EXIT.usage,
  UNSUPPORTED: EXIT.usage,
  STEP_TIMEOUT: EXIT.unknown,
  CONNECTION_LOST: EXIT.unknown,
  REPLAY_DIVERGED: EXIT.diverged,
  REPLAY_INCOMPATIBLE: EXIT.diverged,
  INTERRUPTED: EXIT.interrupted,
};

export function exitCodeOf(error: unknown): number {
  return error instanceof HarnessError ? BY_CODE[error.code] : EXIT.unknown;
}

/** A violation counts for more than whatever ended the campaign; an interruption for less. */
export function exitCodeOfCampaign(verdict: Verdict, error: HarnessError | undefined): number {
  if (verdict === "fail") return EXIT.violation;
  if (verdict === "pass") return EXIT.pass;
  return error === undefined ? EXIT.unknown : exitCodeOf(error);
}
