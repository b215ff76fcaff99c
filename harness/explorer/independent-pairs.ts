import type { Execution } from "../core/execution.ts";
import { type Footprint, independent } from "../core/footprint.ts";
import type { Json } from "../core/json.ts";
import type { Operation } from "../core/operation.ts";
import type { Choice, Task } from "../core/schedule.ts";
import type { Executor } from "../execution/executor.ts";
import { FirstEnabled } from "../execution/first-enabled.ts";
import type { FootprintOf } from "../scheduler/scheduler.ts";
import type { Pair, Service } from "../service/service.ts";

/** The footprints of an operation's steps, when it runs alone. Undefined for a step: it may touch anything. */
type Steps = readonly (Footprint | undefined)[];

/**
 * The names of the pairs whose operations touch nothing in common, when each runs alone in the pair's
 * initial state: all of their interleavings lead to the same result, in which every rule holds. A pair
 * whose clients send several operations is none of them, since the later ones may depend on the earlier
 * ones of another client.
 *
 * @param executor has footprints
 * @param holds whether every rule holds in an execution: an invariant may compare what both have written
 */
export async function independentPairs<State extends Json, Op extends Operation>(
  executor: Pick<Executor<State, Op>, "execute">,
  pairs: readonly Pair<State, Op>[],
  holds: (execution: Execution<State, Op>) => Promise<boolean>,
): Promise<readonly string[]> {
  const known = new Map<string, Steps>();
  const stepsOf = async (initial: State, operation: Op): Promise<Steps> => {
    const key = JSON.stringify([initial, operation]);
    const steps = known.get(key);
    if (steps !== undefined) return steps;
    const recorder = new FootprintRecorder();
    await executor.execute({ initial, clients: [[operation]] }, recorder);
    known.set(key, recorder.steps);
    return recorder.steps;
  };
  const names: string[] = [];
  for (const { name, scenario } of pairs) {
    const [[first, ...more] = [], [second, ...others] = [], ...further] = scenario.clients;
    if (first === undefined || second === undefined) continue;
    if (more.length + others.length + further.length > 0) continue;
    const [one, other] = [
      await stepsOf(scenario.initial, first),
      await stepsOf(scenario.initial, second),
    ];
    if (!one.every((a) => other.every((b) => independent(a, b)))) continue;
    if (await holds(await executor.execute(scenario, new FootprintRecorder()))) names.push(name);
  }
  return names;
}

/** The service without those of its pairs. */
export function withoutPairs<State extends Json, Op extends Operation>(
  service: Service<State, Op>,
  names: readonly string[],
): Service<State, Op> {
  if (names.length === 0) return service;
  const left = new Set(names);
  return {
    ...service,
    pairs: () => (service.pairs?.() ?? []).filter(({ name }) => !left.has(name)),
  };
}

/** Executes one client after the other, and records what each step may touch. */
export class FootprintRecorder extends FirstEnabled {
  readonly steps: (Footprint | undefined)[] = [];

  override choose(
    enabled: readonly Choice[],
    previous: Task | undefined,
    footprintOf: FootprintOf = () => undefined,
  ): Choice {
    const choice = super.choose(enabled, previous);
    this.steps.push(footprintOf(choice));
    return choice;
  }
}
