import { HarnessError, type HarnessErrorCode } from "../core/error.ts";
import type { Verdict } from "../core/verdict.ts";

/** The exit codes of `heddle`. The README documents them for CI jobs. */
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

/** The exit code for an error; `unknown` for anything but a `HarnessError`. */
export function exitCodeOf(error: unknown): number {
  return error instanceof HarnessError ? BY_CODE[error.code] : EXIT.unknown;
}

/**
 * The exit code of a campaign that has a verdict. An unknown one has the same code whatever ended the
 * campaign, except an interruption.
 */
export function exitCodeOfCampaign(verdict: Verdict, error: HarnessError | undefined): number {
  if (verdict === "fail") return EXIT.violation;
  if (verdict === "pass") return EXIT.pass;
  return error?.code === "INTERRUPTED" ? EXIT.interrupted : EXIT.unknown;
}

/** Node's exit code for a process whose event loop is empty while a promise is still pending. */
const UNSETTLED_AWAIT = 13;

/**
 * Runs `work`. If the code under test ends the process meanwhile, its exit code would be read as a
 * verdict. The guard replaces that code, and prints the reason.
 */
export async function withExitGuard<T>(work: () => Promise<T>): Promise<T> {
  let uncaught = false;
  const onUncaught = () => {
    uncaught = true;
  };
  const onExit = (code: number) => {
    // The second Ctrl-C; see `interruption`.
    if (code === EXIT.interrupted) return;
    process.exitCode = uncaught ? EXIT.unknown : EXIT.usage;
    // Node has printed the error itself.
    if (uncaught) return;
    process.stderr.write(`\nheddle: ${code === UNSETTLED_AWAIT ? UNSETTLED : ENDED}\n`);
  };
  process.on("uncaughtExceptionMonitor", onUncaught).on("exit", onExit);
  try {
    return await work();
  } finally {
    process.off("uncaughtExceptionMonitor", onUncaught).off("exit", onExit);
  }
}

const ENDED =
  "the code of the service or the scenario ended the process (process.exit): remove the call, or " +
  "run the code in a process of its own with exec";

const UNSETTLED =
  "the code of the service or the scenario awaits a promise that never settles, and the process " +
  "has nothing else to wait for";

/**
 * Turns the first Ctrl-C (or SIGTERM, or SIGHUP) into an AbortSignal, so that the command can report
 * what it has done so far. The second one ends the process at once; the reaper of each server then
 * cleans up.
 *
 * @param doing what the command does before it ends
 */
export function interruption(doing = "finishing the current execution"): {
  readonly signal: AbortSignal;
  readonly end: () => void;
} {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write(`\ninterrupted: ${doing}; again to stop at once\n`);
    controller.abort();
  };
  const signals = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const signal of signals) process.on(signal, interrupt);
  return {
    signal: controller.signal,
    end: () => {
      for (const signal of signals) process.off(signal, interrupt);
    },
  };
}
