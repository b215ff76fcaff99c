import { EXIT } from "./exit-code.ts";

/**
 * Turns the first Ctrl-C (or SIGTERM, or a closed terminal) into an AbortSignal, so that what was
 * done so far is reported; the second one ends the process at once. What is then left is cleaned
 * up by the reaper that each server has.
 */
export function interruption(): { readonly signal: AbortSignal; readonly end: () => void } {
  const controller = new AbortController();
  const interrupt = () => {
    if (controller.signal.aborted) process.exit(EXIT.interrupted);
    process.stderr.write("\ninterrupted: finishing; once more to stop at once\n");
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
