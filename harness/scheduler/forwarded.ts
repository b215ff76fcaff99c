import type { Scheduler } from "./scheduler.ts";

/**
 * All members of a scheduler, for one that wraps it and changes some of them. The type has each member, also
 * those that a scheduler may lack: one that is added to `Scheduler` has to be added here.
 */
export function forwarded(scheduler: Scheduler): Required<Scheduler> {
  return {
    fair: scheduler.fair ?? true,
    begin: (scenario) => scheduler.begin(scenario),
    choose: (...given) => scheduler.choose(...given),
    goesOn: (choice) => scheduler.goesOn?.(choice),
    observe: (...given) => scheduler.observe?.(...given),
    footprintsGrew: (...given) => scheduler.footprintsGrew?.(...given),
    delayMs: () => scheduler.delayMs?.() ?? 0,
    inject: (...given) => scheduler.inject?.(...given),
  };
}
