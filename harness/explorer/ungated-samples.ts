import type { Executor } from "../execution/executor.ts";
import { NOT_SAMPLED, type UngatedState } from "../execution/ungated-states.ts";
import { FreeSteps } from "../scheduler/free-steps.ts";

/** The executions of all samples, which the states share: ten each if there are as many as are kept. */
const SAMPLES = 200;

/** How often clients ran freely at each part without a gate, by its name. */
export type Samples = { readonly [part: string]: number };

/** One execution in which clients run freely from a state. */
export interface Sample {
  readonly part: string;
  readonly scheduler: FreeSteps;
}

/** All states once, then all again, so that little time samples each. */
export function* samplesOf(states: readonly UngatedState[], seed: number): Generator<Sample> {
  for (let number = 0; number < SAMPLES; number++) {
    const state = states[number % states.length];
    if (state === undefined) return;
    const scheduler = FreeSteps.after(state.entries, state.tasks, seed + number);
    yield { part: state.part, scheduler };
  }
}

/** No samples at any of the parts at which clients could have met. */
export function noSamples({ ungated }: Pick<Executor<never, never>, "ungated">): Samples {
  const parts = ungated.filter((name) => !NOT_SAMPLED.includes(name));
  return Object.fromEntries(parts.map((part) => [part, 0]));
}
